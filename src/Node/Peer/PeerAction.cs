using FedChain.Protocol;

namespace FedChain.Node.Peer;

/// <summary>
/// One thing for the peer to do next. Actions are values: the loop never has two equal ones under way, and repeats one that failed.
/// Each can be done again without harm, since its outcome is looked up on the chain or in the home folder first.
/// </summary>
public abstract record PeerAction
{
    private PeerAction()
    {
    }

    /// <summary>What is being done, for the operator.</summary>
    public string InWords => this switch
    {
        OpenRound(var after) => $"opening the round after {after}",
        ObtainAdapter(var round, var adapter) => $"getting the adapter {adapter} for round {round}",
        Commit => "making a commitment at the contract that takes over the rounds",
        Train(var round) => $"training for round {round}",
        Submit(var round) => $"submitting to round {round}",
        Expose(var round) => $"serving the own update of round {round}",
        FetchUpdate(var round, var index) => $"fetching submission {index} of round {round}",
        SignHoldings(var round) => $"signing the holdings of round {round}",
        FetchHoldings(var round, var index) => $"fetching the holdings of submitter {index} of round {round}",
        Publish(var round, var turn) => $"publishing in turn {turn} of round {round}",
        CheckCandidate(var round, var turn) => $"checking the candidate of turn {turn} of round {round}",
        Attest(var round, var turn, _, _) => $"attesting turn {turn} of round {round}",
        Measure(var round) => $"measuring the adapter of round {round}",
        _ => ToString(),
    };

    public sealed record OpenRound(RoundId After) : PeerAction;

    /// <summary>Get the adapter that a round starts from or came to: from the genesis, or from another member.</summary>
    public sealed record ObtainAdapter(RoundId Round, Hash256 Adapter) : PeerAction;

    /// <summary>Make a commitment at a successor of Rounds.</summary>
    public sealed record Commit : PeerAction;

    /// <summary>Train on the institution's own records and seal the update.</summary>
    public sealed record Train(RoundId Round) : PeerAction;

    public sealed record Submit(RoundId Round) : PeerAction;

    /// <summary>Serve the own update, which stayed private until the submissions were closed.</summary>
    public sealed record Expose(RoundId Round) : PeerAction;

    /// <summary>Fetch, open and validate somebody's update.</summary>
    public sealed record FetchUpdate(RoundId Round, int Index) : PeerAction;

    /// <summary>Sign which updates this member holds; done once in a round.</summary>
    public sealed record SignHoldings(RoundId Round) : PeerAction;

    /// <summary>Ask a submitter for the holdings it signed.</summary>
    public sealed record FetchHoldings(RoundId Round, int Index) : PeerAction;

    public sealed record Publish(RoundId Round, int Turn) : PeerAction;

    /// <summary>Recompute a candidate and decide on it.</summary>
    public sealed record CheckCandidate(RoundId Round, int Turn) : PeerAction;

    /// <summary>Measure a finalised round's global adapter on the own validation set.</summary>
    public sealed record Measure(RoundId Round) : PeerAction;

    public sealed record Attest(RoundId Round, int Turn, Hash256 Candidate, bool Valid) : PeerAction;
}
