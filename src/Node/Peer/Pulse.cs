using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// Whether a peer gets on. The loop beats once a look at the chain, a training reports its steps; what has been silent for longer than it ever takes has
/// stalled, what goes on too slowly for its deadline is slow. Safe for several threads.
/// </summary>
internal sealed class Pulse(TimeProvider time)
{
    /// <summary>The loop waits for nothing but the chain's node, whose requests are given up well before.</summary>
    public static readonly TimeSpan LoopLimit = TimeSpan.FromMinutes(3);

    public static readonly TimeSpan ChainLimit = TimeSpan.FromMinutes(2);

    /// <summary>Of a training without a step: measuring the base before the first one, or the result after the last, takes long too.</summary>
    public static readonly TimeSpan StepLimit = TimeSpan.FromMinutes(15);

    /// <summary>Times the mean step, if that is longer.</summary>
    public const int StepsLimit = 20;

    private readonly Lock _gate = new();
    private readonly long _started = time.GetTimestamp();
    private long? _beat;
    private long? _chainRead;
    private ulong _block;
    private Pause? _pause;
    private uint _member;
    private RoundState? _round;
    private Phase? _phase;
    private ulong _now;
    private IReadOnlyList<string> _doing = [];
    private (long Began, long FirstStep, long LastStep, int First, int Step, int Steps)? _training;
    private string? _trouble;

    /// <summary>The loop has come round.</summary>
    /// <param name="hasRead">Whether the chain could be read.</param>
    /// <param name="now">The chain's time.</param>
    public void Beat(FederationState federation, bool hasRead, ulong block, ulong now, Pause? pause, IEnumerable<PeerAction> running)
    {
        lock (_gate)
        {
            _beat = time.GetTimestamp();
            _chainRead = hasRead ? _beat : _chainRead;
            (_block, _now, _pause) = (block, now, pause);
            (_round, _phase) = (federation.Current, federation.Current?.PhaseAt(now));
            var actions = running.ToList();
            _doing = [.. actions.Select(a => a.InWords)];
            var trains = actions.Exists(a => a is PeerAction.Train);
            _training = !trains ? null : _training ?? (_beat.Value, _beat.Value, _beat.Value, 0, 0, 0);
        }
    }

    public void Take(PeerEvent e)
    {
        lock (_gate)
        {
            _member = e.Member;
            switch (e)
            {
                case PeerEvent.Training step:
                    var now = time.GetTimestamp();
                    var before = _training ?? (now, now, now, 0, 0, 0);
                    _training = before.First == 0 || step.Step <= before.Step
                        ? (before.Began, now, now, step.Step, step.Step, step.Steps)
                        : before with { LastStep = now, Step = step.Step, Steps = step.Steps };
                    break;
                case PeerEvent.Trouble trouble:
                    _trouble = $"{trouble.What}: {trouble.Reason}";
                    break;
                case PeerEvent.RoundEnded:
                    _trouble = null;
                    break;
            }
        }
    }

    public PeerStatus Look()
    {
        lock (_gate)
        {
            var loop = time.GetElapsedTime(_beat ?? _started);
            var chain = time.GetElapsedTime(_chainRead ?? _started);
            var pace = PaceOf();
            double? left = _phase switch
            {
                Phase.Training(var until) => Left(until),
                Phase.Aggregation(_, _, var until) => Left(until),
                Phase.Attestation(_, _, var until) => Left(until),
                _ => null,
            };
            var silence = TimeSpan.FromSeconds(Math.Max(StepLimit.TotalSeconds, StepsLimit * (pace?.SecondsPerStep ?? 0)));
            var (condition, why) =
                loop > LoopLimit ? (PeerCondition.Stalled, $"the peer has not looked at the chain for {loop.TotalSeconds:F0} s")
                : pace is not null && pace.ProgressSecondsAgo > silence.TotalSeconds ? (PeerCondition.Stalled, $"the training has made no step for {pace.ProgressSecondsAgo:F0} s")
                : chain > ChainLimit ? (PeerCondition.Offline, $"the chain could not be read for {chain.TotalSeconds:F0} s")
                : _pause is { } pause ? (PeerCondition.Paused, $"paused since {pause.Since:u}{(pause.Reason is null ? "" : $": {pause.Reason}")}")
                : pace?.SecondsLeft > left && _phase is Phase.Training ? (PeerCondition.Slow, $"the training needs {pace.SecondsLeft:F0} s more, and the submissions close in {left:F0} s")
                : (PeerCondition.Ok, "");
            return new PeerStatus(
                condition, why, _member, _round?.Id.Value ?? 0, _phase?.GetType().Name ?? "", left, _block, Math.Round(chain.TotalSeconds, 3), _doing, pace, _trouble);
        }
    }

    private double Left(ulong until) => Math.Max(0, (double)until - _now - time.GetElapsedTime(_beat!.Value).TotalSeconds);

    private TrainingPace? PaceOf()
    {
        if (_training is not var (_, first, last, from, step, steps))
        {
            return null;
        }

        double? each = step > from ? time.GetElapsedTime(first, last).TotalSeconds / (step - from) : null;
        return new TrainingPace(step, steps, each, time.GetElapsedTime(last).TotalSeconds, each * (steps - step));
    }
}
