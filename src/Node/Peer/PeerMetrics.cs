using System.Diagnostics.Metrics;

namespace FedChain.Node.Peer;

/// <summary>
/// A peer in numbers, by the conventions of OpenTelemetry: the meter <c>FedChain.Peer</c>, which any listener in the process can read. They follow from
/// what the peer reports and from its pulse; nothing else counts.
/// </summary>
internal sealed class PeerMetrics : IDisposable
{
    public const string MeterName = "FedChain.Peer";

    private readonly Counter<long> _rounds;
    private readonly Counter<long> _actions;
    private readonly Counter<long> _gas;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _troubles;
    private readonly Counter<double> _trained;
    private readonly Gauge<double> _loss;
    private readonly Gauge<double> _stepLoss;
    private readonly Gauge<double> _speed;

    public PeerMetrics(Pulse pulse)
    {
        Meter = new Meter(MeterName);
        _rounds = Meter.CreateCounter<long>("fedchain.rounds", "{round}", "Rounds that ended while the peer ran.");
        _actions = Meter.CreateCounter<long>("fedchain.actions", "{action}", "What this member did in rounds.");
        _gas = Meter.CreateCounter<long>("fedchain.gas", "{gas}", "Gas that this member's transactions used.");
        _bytes = Meter.CreateCounter<long>("fedchain.transfer", "By", "Sealed bytes of updates: own ones submitted, others' fetched.");
        _troubles = Meter.CreateCounter<long>("fedchain.troubles", "{trouble}", "Failures that the operator was told of.");
        _trained = Meter.CreateCounter<double>("fedchain.training.duration", "s", "Time spent in trainings that came to their end.");
        _loss = Meter.CreateGauge<double>("fedchain.loss", "{nat}", "Loss on the institution's own validation set, nats per token.");
        _stepLoss = Meter.CreateGauge<double>("fedchain.training.loss", "{nat}", "Loss of the latest training step, nats per token.");
        _speed = Meter.CreateGauge<double>("fedchain.training.speed", "{token}/s", "Tokens per second of the latest training step.");
        Observe("fedchain.round", "{round}", "The current round; 0 before the first.", s => s.Round);
        Observe("fedchain.block", "{block}", "The latest block seen.", s => s.Block);
        Observe("fedchain.chain.age", "s", "Time since the chain was last read.", s => s.ChainSecondsAgo);
        Observe("fedchain.training.step", "{step}", "Steps of the training under way; 0 if there is none.", s => s.Training?.Step ?? 0);
        Observe("fedchain.training.steps", "{step}", "Steps that the training under way will have; 0 if there is none.", s => s.Training?.Steps ?? 0);
        Observe("fedchain.training.silence", "s", "Time since the latest step of the training under way; 0 if there is none.", s => s.Training?.ProgressSecondsAgo ?? 0);
        ObserveOne("fedchain.condition", "{peer}", "1 for the peer's condition, 0 for the others.", "condition", Enum.GetNames<PeerCondition>(), s => s.Condition.ToString());
        ObserveOne(
            "fedchain.phase", "{round}", "1 for the current round's phase, 0 for the others.", "phase",
            ["Training", "Aggregation", "Attestation", "Finalised", "Aborted"], s => s.Phase);

        void Observe(string name, string unit, string description, Func<PeerStatus, double> value) =>
            Meter.CreateObservableGauge(name, () => value(pulse.Look()), unit, description);

        void ObserveOne(string name, string unit, string description, string tag, string[] values, Func<PeerStatus, string> now) => Meter.CreateObservableGauge(
            name, () => now(pulse.Look()) is var one ? values.Select(v => new Measurement<int>(v == one ? 1 : 0, Tag(tag, v))) : [], unit, description);
    }

    public Meter Meter { get; }

    public void Take(PeerEvent e)
    {
        switch (e)
        {
            case PeerEvent.Opened opened:
                Acted("open", opened.Gas);
                break;
            case PeerEvent.Submitted submitted:
                Acted("submit", submitted.Gas);
                _bytes.Add(submitted.Bytes, Tag("direction", "submitted"));
                break;
            case PeerEvent.Published published:
                Acted("publish", published.Gas);
                break;
            case PeerEvent.Attested attested:
                Acted(attested.Valid ? "attest-valid" : "attest-invalid", attested.Gas);
                break;
            case PeerEvent.Recommitted recommitted:
                Acted("recommit", recommitted.Gas);
                break;
            case PeerEvent.HoldingsSigned:
                _actions.Add(1, Tag("action", "sign-holdings"));
                break;
            case PeerEvent.UpdateHeld held:
                _bytes.Add(held.Bytes, Tag("direction", "fetched"));
                break;
            case PeerEvent.UpdateRefused:
                _actions.Add(1, Tag("action", "refuse-update"));
                break;
            case PeerEvent.Diverged:
                _actions.Add(1, Tag("action", "diverge"));
                break;
            case PeerEvent.Training step:
                _stepLoss.Record(step.Loss);
                _speed.Record(step.TokensPerSecond);
                break;
            case PeerEvent.Trained trained:
                _actions.Add(1, Tag("action", "train"));
                _trained.Add(trained.Seconds);
                _loss.Record(trained.BaseModelLoss, Tag("of", "base-model"));
                _loss.Record(trained.RoundBaseLoss, Tag("of", "round-base"));
                _loss.Record(trained.ResultLoss, Tag("of", "own-result"));
                break;
            case PeerEvent.AdapterMeasured measured:
                _loss.Record(measured.Loss, Tag("of", "global-adapter"));
                break;
            case PeerEvent.RoundEnded ended:
                _rounds.Add(1, Tag("outcome", ended.Finalised ? "finalised" : "aborted"));
                break;
            case PeerEvent.Trouble trouble:
                _troubles.Add(1, Tag("final", trouble.Final ? "true" : "false"));
                break;
        }
    }

    public void Dispose() => Meter.Dispose();

    private void Acted(string action, ulong gas)
    {
        _actions.Add(1, Tag("action", action));
        _gas.Add((long)gas, Tag("action", action));
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
