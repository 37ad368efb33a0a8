using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

public sealed class PrometheusTextTests
{
    /// <summary>The format's own grammar of a line.</summary>
    private static readonly Regex Line = new("""^(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge)|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")*\})? ([-+0-9.Ee]+|[+-]Inf|NaN))$""", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture);

    [Fact]
    public void Instruments_are_written_as_the_format_has_them()
    {
        using var meter = new Meter("test");
        using var text = new PrometheusText(meter);
        using var other = new Meter("other");
        other.CreateCounter<long>("not.ours").Add(1);
        var counter = meter.CreateCounter<long>("a.count", "{thing}", "Things,\nwith \\ and \"");
        counter.Add(2, new KeyValuePair<string, object?>("kind", "x\"\\\n"));
        counter.Add(3, new KeyValuePair<string, object?>("kind", "x\"\\\n"));
        counter.Add(1, new("z", "1"), new("a", "2"));
        meter.CreateCounter<double>("time.spent", "s").Add(1.5);
        var gauge = meter.CreateGauge<double>("level", "By");
        gauge.Record(1);
        gauge.Record(double.PositiveInfinity);
        meter.CreateObservableGauge("now", () => 1e-7);
        Assert.Equal(
            """
            # HELP a_count_total Things,\nwith \\ and "
            # TYPE a_count_total counter
            a_count_total{a="2",z="1"} 1
            a_count_total{kind="x\"\\\n"} 5
            # HELP level_bytes 
            # TYPE level_bytes gauge
            level_bytes +Inf
            # HELP now 
            # TYPE now gauge
            now 1E-07
            # HELP time_spent_seconds_total 
            # TYPE time_spent_seconds_total counter
            time_spent_seconds_total 1.5

            """, text.Write());
    }

    [Fact]
    public void A_peers_events_and_pulse_become_its_metrics()
    {
        var pulse = new Pulse(TimeProvider.System);
        pulse.Beat(FederationState.Empty with { Rounds = [DecisionTests.Round()] }, hasRead: true, block: 7, now: 1000, pause: null, [new PeerAction.Train(new RoundId(1))]);
        using var metrics = new PeerMetrics(pulse);
        using var text = new PrometheusText(metrics.Meter);
        foreach (var e in new PeerEvent[]
        {
            new PeerEvent.Opened(1, "0x", 70_000), new PeerEvent.Training(1, 2, 30, 1.25, 900), new PeerEvent.Trained(1, 6.5, 5, 4, null, 12.5),
            new PeerEvent.Submitted(1, "", "", 1000, 65_000, "0x"), new PeerEvent.UpdateHeld(1, 2, 1100, ""), new PeerEvent.UpdateHeld(1, 3, 900, ""),
            new PeerEvent.Attested(1, 0, true, "", 50_000, "0x"), new PeerEvent.RoundEnded(1, true, ""), new PeerEvent.RoundEnded(2, false, ""), new PeerEvent.RoundEnded(3, true, ""),
            new PeerEvent.Trouble("a", "b", Final: false), new PeerEvent.AdapterMeasured(1, 4.5, null, null),
        })
        {
            pulse.Take(e);
            metrics.Take(e);
        }

        var lines = text.Write().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var line in new[]
        {
            "fedchain_rounds_total{outcome=\"finalised\"} 2", "fedchain_rounds_total{outcome=\"aborted\"} 1", "fedchain_gas_total{action=\"submit\"} 65000",
            "fedchain_gas_total{action=\"open\"} 70000", "fedchain_actions_total{action=\"attest-valid\"} 1", "fedchain_transfer_bytes_total{direction=\"submitted\"} 1000",
            "fedchain_transfer_bytes_total{direction=\"fetched\"} 2000", "fedchain_loss{of=\"own-result\"} 4", "fedchain_loss{of=\"global-adapter\"} 4.5",
            "fedchain_training_duration_seconds_total 12.5", "fedchain_training_loss 1.25", "fedchain_training_step 2", "fedchain_training_steps 30", "fedchain_round 1",
            "fedchain_block 7", "fedchain_troubles_total{final=\"false\"} 1", "fedchain_phase{phase=\"Training\"} 1", "fedchain_phase{phase=\"Aggregation\"} 0",
            "fedchain_condition{condition=\"Ok\"} 1", "fedchain_condition{condition=\"Stalled\"} 0",
        })
        {
            Assert.Contains(line, lines);
        }

        Assert.All(lines, line => Assert.Matches(Line, line));
        var samples = lines.Where(l => l[0] != '#').Select(l => l[..l.LastIndexOf(' ')]).ToList();
        Assert.Equal(samples.Count, samples.Distinct(StringComparer.Ordinal).Count());
    }
}
