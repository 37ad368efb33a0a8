using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Node.Tests.Peer;

public sealed class PulseTests
{
    private const ulong Now = 1000, Closes = 1600;

    private static readonly PeerAction[] Training = [new PeerAction.Train(new RoundId(1))];

    private readonly FakeTimeProvider _time = new();
    private readonly Pulse _pulse;

    public PulseTests() => _pulse = new Pulse(_time);

    [Fact]
    public void All_is_well_as_long_as_it_comes_round_and_reads_the_chain()
    {
        Beat();
        Assert.Equal(PeerCondition.Ok, _pulse.Look().Condition);
        _time.Advance(Pulse.ChainLimit + TimeSpan.FromSeconds(1));
        Beat(hasRead: false);
        Assert.Equal(PeerCondition.Offline, _pulse.Look().Condition);
        Assert.False(_pulse.Look().IsHealthy);
        Beat();
        Assert.Equal(PeerCondition.Ok, _pulse.Look().Condition);
        _time.Advance(Pulse.LoopLimit + TimeSpan.FromSeconds(1));
        Assert.Equal(PeerCondition.Stalled, _pulse.Look().Condition);
    }

    [Fact]
    public void A_training_that_will_not_be_done_in_time_is_slow_and_one_without_a_step_has_stalled()
    {
        Beat(Training);
        Step(1, of: 100);
        _time.Advance(TimeSpan.FromSeconds(5));
        Step(2, of: 100);
        Beat(Training);
        var pace = _pulse.Look();
        Assert.Equal(PeerCondition.Ok, pace.Condition); // 98 steps of 5 s are left, and 600 s
        Assert.Equal(new TrainingPace(2, 100, SecondsPerStep: 5, ProgressSecondsAgo: 0, SecondsLeft: 490), pace.Training);
        _time.Advance(TimeSpan.FromSeconds(15));
        Step(3, of: 100);
        Beat(Training);
        Assert.Equal(PeerCondition.Slow, _pulse.Look().Condition); // 97 of 10 s
        Assert.True(_pulse.Look().IsHealthy);
        _time.Advance(Pulse.StepLimit + TimeSpan.FromSeconds(1));
        Beat(Training);
        Assert.Equal(PeerCondition.Stalled, _pulse.Look().Condition);
        Assert.Contains("no step for 901 s", _pulse.Look().Why, StringComparison.Ordinal);
        Beat();
        Assert.Equal(PeerCondition.Ok, _pulse.Look().Condition); // it was given up
        Assert.Null(_pulse.Look().Training);
    }

    [Fact]
    public void Long_steps_have_longer_to_come()
    {
        Beat(Training);
        Step(1, of: 10);
        _time.Advance(TimeSpan.FromMinutes(14));
        Step(2, of: 10);
        _time.Advance(Pulse.StepLimit * 2);
        Beat(Training);
        Assert.Equal(PeerCondition.Slow, _pulse.Look().Condition);
        _time.Advance(TimeSpan.FromMinutes(14) * Pulse.StepsLimit);
        Beat(Training);
        Assert.Equal(PeerCondition.Stalled, _pulse.Look().Condition);
    }

    [Fact]
    public void A_training_that_never_began_to_step_stalls_as_well()
    {
        Beat(Training);
        _time.Advance(Pulse.StepLimit - TimeSpan.FromSeconds(1));
        Beat(Training);
        Assert.Equal(PeerCondition.Ok, _pulse.Look().Condition);
        _time.Advance(TimeSpan.FromSeconds(2));
        Beat(Training);
        Assert.Equal(PeerCondition.Stalled, _pulse.Look().Condition);
    }

    [Fact]
    public void A_pause_is_told_with_its_reason_and_the_last_trouble_until_the_round_ends()
    {
        _pulse.Beat(Federation(), hasRead: true, block: 7, Now, new Pause(_time.GetUtcNow(), "maintenance"), []);
        _pulse.Take(new PeerEvent.Trouble("reading the chain", "no answer", Final: false));
        var status = _pulse.Look();
        Assert.Equal(PeerCondition.Paused, status.Condition);
        Assert.EndsWith(": maintenance", status.Why, StringComparison.Ordinal);
        Assert.Equal((1ul, "Training", (double?)600, 7ul), (status.Round, status.Phase, status.PhaseSecondsLeft, status.Block));
        Assert.Equal("reading the chain: no answer", status.Trouble);
        _pulse.Take(new PeerEvent.RoundEnded(1, true, ""));
        Assert.Null(_pulse.Look().Trouble);
        Assert.Contains("\"condition\":\"Paused\"", System.Text.Encoding.UTF8.GetString(status.ToJson()), StringComparison.Ordinal);
    }

    private void Beat(PeerAction[]? running = null, bool hasRead = true) => _pulse.Beat(Federation(), hasRead, block: 7, Now, pause: null, running ?? []);

    private void Step(int step, int of) => _pulse.Take(new PeerEvent.Training(1, step, of, 1, 1));

    private static FederationState Federation() => FederationState.Empty with { Rounds = [DecisionTests.Round() with { ClosesAt = Closes }] };
}
