using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Governance;

/// <summary>A federation's proposals: what each would do, and where it stands.</summary>
internal sealed class ProposalBook
{
    private const int FewestDigits = 6;

    private readonly ChainSession _session;
    private readonly List<(ProposalRecord Record, FederationState Before)> _proposals = [];

    public ProposalBook(ChainSession session)
    {
        _session = session;
        var state = FederationState.Empty;
        foreach (var e in session.Reader.Events)
        {
            if (e.Event is ProposalCreated created)
            {
                _proposals.Add((session.Reader.State.Proposal(created.Proposal)!, state));
            }

            state = state.Apply(e.Event);
        }
    }

    /// <summary>The proposal whose id begins so, with or without 0x.</summary>
    /// <exception cref="UserErrorException">None or several do, or too few digits were given.</exception>
    public Task<ProposalView> FindAsync(string id, CancellationToken cancellationToken)
    {
        var digits = id.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? id[2..] : id;
        if (digits.Length < FewestDigits || !digits.All(char.IsAsciiHexDigit))
        {
            throw new UserErrorException($"A proposal is named by its id, 0x and 64 hex digits, or its first {FewestDigits} digits or more; got '{id}'.");
        }

        var found = _proposals.Where(p => p.Record.Id.ToString().AsSpan(2).StartsWith(digits, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count switch
        {
            1 => ViewAsync(found[0].Record, found[0].Before, cancellationToken),
            0 => throw new UserErrorException($"There is no proposal {id} in {_session.Federation}. 'fedchain proposals --all' lists them."),
            _ => throw new UserErrorException($"{id} could be any of {string.Join(", ", found.Select(p => p.Record.Id))}. Give more digits."),
        };
    }

    /// <param name="all">Also those that have ended.</param>
    /// <param name="cancellationToken">Stops asking.</param>
    public async Task<IReadOnlyList<ProposalView>> ReadAsync(bool all, CancellationToken cancellationToken)
    {
        var views = new List<ProposalView>();
        foreach (var (record, before) in _proposals.Where(p => all || !(p.Record.Executed || p.Record.Canceled)))
        {
            var view = await ViewAsync(record, before, cancellationToken);
            if (all || view.IsLive)
            {
                views.Add(view);
            }
        }

        return views;
    }

    private async Task<ProposalView> ViewAsync(ProposalRecord record, FederationState before, CancellationToken cancellationToken)
    {
        var contracts = ContractsOf(_session, before);
        ProposedAction[] actions = [.. record.Proposal.Calls.Select(c => ProposedAction.Decode(c, contracts))];
        var governance = new GovernanceClient(_session.Client, before.Governance);
        var state = await governance.GetStateAsync(record.Id, cancellationToken);
        var membership = new MembershipClient(_session.Client, _session.Federation);
        var voters = state is ProposalState.Pending or ProposalState.Canceled // canceled before there was a vote
            ? await membership.GetVotersAsync(cancellationToken)
            : await membership.GetPastVotersAsync(record.Created.VoteStart, cancellationToken);
        return new ProposalView(record, before, actions, ProposalWords.Of(actions, before), state, voters, await governance.GetGracePeriodAsync(cancellationToken));
    }

    /// <summary>The three contracts as they were at a moment: the Rounds contract can have a successor.</summary>
    public static FederationContracts ContractsOf(ChainSession session, FederationState state) => new(session.Federation, state.Governance, state.RoundsContract);
}
