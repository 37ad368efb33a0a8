using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace FedChain.Node.Peer;

/// <summary>
/// Writes a meter's instruments in Prometheus' text format, version 0.0.4, named as OpenTelemetry's compatibility rules name them: dots become underscores,
/// units that mean something are spelled out, counters end in <c>_total</c>. Counters and gauges only.
/// (https://prometheus.io/docs/instrumenting/exposition_formats, https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics)
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, (Instrument Instrument, SortedDictionary<string, double> Values)> _families = new(StringComparer.Ordinal);

    public PrometheusText(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    public string Write()
    {
        lock (_gate)
        {
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var (name, (instrument, values)) in _families)
            {
                text.Append("# HELP ").Append(name).Append(' ').Append(Escape(instrument.Description ?? "", quotes: false)).Append('\n');
                text.Append("# TYPE ").Append(name).Append(IsCounter(instrument) ? " counter\n" : " gauge\n");
                foreach (var (labels, value) in values)
                {
                    text.Append(name).Append(labels).Append(' ').Append(Number(value)).Append('\n');
                }
            }

            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>();
        foreach (var (name, tag) in tags)
        {
            labels.Add($"{NameOf(name)}=\"{Escape(Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "", quotes: true)}\"");
        }

        var key = labels.Count == 0 ? "" : $"{{{string.Join(',', labels.Order(StringComparer.Ordinal))}}}";
        lock (_gate)
        {
            var family = FamilyOf(instrument);
            if (!_families.TryGetValue(family, out var entry))
            {
                _families[family] = entry = (instrument, new SortedDictionary<string, double>(StringComparer.Ordinal));
            }

            entry.Values[key] = IsCounter(instrument) ? entry.Values.GetValueOrDefault(key) + value : value;
        }
    }

    private static bool IsCounter(Instrument instrument) => instrument is Counter<long> or Counter<double> or Counter<int>;

    private static string FamilyOf(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "", // what stands in braces is an annotation, not a unit
        };
        return NameOf(instrument.Name) + unit + (IsCounter(instrument) ? "_total" : "");
    }

    private static string NameOf(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : double.IsNaN(value) ? "NaN" : value.ToString("R", CultureInfo.InvariantCulture);
}
