using FedChain.Node.Audit;
using FedChain.Node.Peer;
using Spectre.Console;

namespace FedChain.Node.Demo;

/// <summary>What the demonstration shows: a line for everything that happens, with the time since the start.</summary>
internal sealed class DemoScreen(IAnsiConsole console, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();

    /// <summary>Seconds since the start.</summary>
    public double Elapsed => time.GetElapsedTime(_began).TotalSeconds;

    public void Title(string text) => console.Write(new Rule($"[bold]{Markup.Escape(text)}[/]").LeftJustified());

    /// <summary>A line with the time since the start.</summary>
    public void Say(string text) => console.MarkupLineInterpolated($"[grey]{Elapsed,6:F1} s[/]  {text}");

    /// <summary>A line about what a member did.</summary>
    public void Say(string name, string text) => console.MarkupLineInterpolated($"[grey]{Elapsed,6:F1} s[/]  [blue]{name}[/] {text}");

    /// <summary>Shows what a member reported. Of the training steps, those that end a fifth are shown.</summary>
    public void Show(PeerEvent e, string name)
    {
        switch (e)
        {
            case PeerEvent.Training t:
                if (5 * t.Step / t.Steps != 5 * (t.Step - 1) / t.Steps)
                {
                    Say(name, $"step {t.Step}/{t.Steps}, loss {t.Loss:F3}, {t.TokensPerSecond:N0} tokens/s");
                }

                break;
            case PeerEvent.TrainingStarted t:
                Say(name, $"trains {t.Steps} steps on {t.Records} records ({t.CutRecords} cut to fit the context), factors {t.Factor}");
                break;
            case PeerEvent.Trained t:
                Say(name, $"trained in {t.Seconds:F1} s; validation loss {t.BaseModelLoss:F3} base model, {t.RoundBaseLoss:F3} before, {t.ResultLoss:F3} after");
                break;
            case PeerEvent.Ready t:
                Say(name, $"is ready and serves its content at {t.Endpoint}");
                break;
            case PeerEvent.Opened t:
                Say(name, $"opens round {t.Round} ({t.Gas:N0} gas)");
                break;
            case PeerEvent.Submitted t:
                Say(name, $"submits {Short(t.Manifest)}, {t.Bytes:N0} sealed bytes ({t.Gas:N0} gas)");
                break;
            case PeerEvent.UpdateRefused t:
                Say(name, $"refuses the update of member {t.Of}: {t.Reason}");
                break;
            case PeerEvent.HoldingsSigned t:
                Say(name, $"signs that it holds {t.Held} of {t.Submissions} updates");
                break;
            case PeerEvent.Published t:
                Say(name, $"aggregates {t.Included} updates and publishes {Short(t.Aggregate)} ({t.Gas:N0} gas)");
                break;
            case PeerEvent.Attested t:
                Say(name, $"attests {(t.Valid ? "valid" : "INVALID")}: {t.Reason} ({t.Gas:N0} gas)");
                break;
            case PeerEvent.AdapterMeasured { IsWorse: true } t:
                Say(name, t.InWords);
                break;
            case PeerEvent.AdapterObtained t:
                Say(name, $"had not recomputed the adapter {Short(t.Adapter)} of round {t.Round}; its bytes came from the others: {t.From}");
                break;
            case PeerEvent.Trouble t:
                console.MarkupLineInterpolated($"[grey]{Elapsed,6:F1} s[/]  [yellow]{name}: {t.What}: {t.Reason}[/]");
                break;
            default:
                break;
        }
    }

    public void Show(EvaluationReport evaluation)
    {
        var table = new Table { Title = new TableTitle("Test loss in bits per byte (lower is better)"), Border = TableBorder.Simple };
        table.AddColumns("Institution", "own: base", "alone", "federated", "gain", "others: base", "alone", "federated", "gain");
        foreach (var column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        foreach (var i in evaluation.Institutions)
        {
            table.AddRow(
                Markup.Escape(i.Name) + (i.Name == evaluation.Weakest ? " [yellow](gains least)[/]" : ""),
                Loss(i.Own.Base), Loss(i.Own.Local), Loss(i.Own.Federated), Gain(i.Own.FederatedGain),
                Loss(i.Others.Base), Loss(i.Others.Local), Loss(i.Others.Federated), Gain(i.Others.FederatedGain));
        }

        console.Write(table);
        console.MarkupLine("[grey]own: the institution's own test. others: mean over the other institutions' tests. alone: trained alone with as many steps.[/]");

        static string Loss(double loss) => double.IsNaN(loss) ? "-" : $"{loss:F3}";
        static string Gain(double gain) => double.IsNaN(gain) ? "-" : gain < 0 ? $"[red]{gain:F3}[/]" : $"[green]{gain:F3}[/]";
    }

    public void Show(AuditReport audit) => AuditText.Write(console, audit);

    public static string Short(string digest) => digest.Length > 20 ? $"{digest[..10]}…{digest[^4..]}" : digest;
}
