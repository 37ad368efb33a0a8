using System.Globalization;
using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Chain;

/// <summary>
/// A contract's refusal as a sentence with its values, and what to do where that isn't plain. Errors that come with OpenZeppelin's parts and can't
/// happen in what the program sends share one sentence, with the error's name and values.
/// </summary>
public static class RefusalText
{
    private static readonly Dictionary<Selector, Func<ContractRefusal, string>> Sentences = [];

    static RefusalText()
    {
        AddMembership();
        AddRounds();
        AddGovernance();
        Add(AbiError.Text, v => $"A contract says: {VisibleText.Quote(v.Text(0))}.");
        Add(AbiError.Panic, v => $"A contract broke off with Solidity's panic 0x{v.Integer(0):x}: a fault of the contract, or a call that it was never meant to get.");
    }

    /// <summary>Whether the error has a sentence of its own.</summary>
    public static bool Knows(AbiError error) => Sentences.ContainsKey(error.Selector);

    public static string Of(ContractRefusal refusal)
    {
        if (refusal.Error is not { } error)
        {
            return refusal.Arguments.Count == 0
                ? "The contract gave no reason. Check that the addresses lead to this federation's contracts."
                : $"The contract gave a reason that this version doesn't know: {refusal.Arguments}.";
        }

        try
        {
            return Sentences.TryGetValue(error.Selector, out var sentence) ? sentence(refusal) : $"The contract refuses with {refusal}.";
        }
        catch (FormatException)
        {
            return $"The contract refuses with {refusal}."; // values out of the range that ours would give
        }
    }

    /// <summary>UTC, to the second.</summary>
    public static string Time(ulong seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(seconds, 253_402_300_799)).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Without the date if it is today's.</summary>
    private static string Time(ulong seconds, ulong now) => seconds / 86_400 == now / 86_400 ? Time(seconds)[11..] : Time(seconds);

    /// <summary>Enough of a proposal's id to name it in a command.</summary>
    public static string Short(ProposalId proposal) => proposal.ToString()[..10];

    private static void AddMembership()
    {
        Add(ContractErrors.OnlyGovernance, v => $"Only a vote can do this: the call has to come from Governance, and came from {v.Address(0)}. Use fedchain propose.");
        Add(ContractErrors.EmptyCommitment, _ => "The commitment is zero, which nothing opens.");
        Add(ContractErrors.NotOperator, v => $"{v.Address(0)} operates no seat of this federation. Check --from, and with fedchain status whether the seat has another operator.");
        Add(ContractErrors.NotHolder, v => $"{v.Address(0)} holds no seat of this federation. Check --from, and with fedchain status who holds which seat.");
        Add(ContractErrors.NotMember, v => $"{v.Address(0)} neither holds nor operates a seat of this federation. Check --from and fedchain status.");
        Add(ContractErrors.WrongWiring, v => $"The contracts don't belong together: expected {v.Address(0)}, found {v.Address(1)}. A successor of Rounds is another contract, deployed with this Membership and its Governance.");
        Add(ContractErrors.OnlyRounds, v => $"Only the Rounds contract in use may call this; the call came from {v.Address(0)}.");
        Add(ContractErrors.OnlyMembership, v => $"Only the Membership contract may call this; the call came from {v.Address(0)}.");
        Add(ContractErrors.ZeroAddress, _ => "The address is zero, which nobody has.");
        Add(ContractErrors.ProfileLength, v => $"The profile has {v.Integer(0)} bytes; {v.Integer(1)} to {v.Integer(2)} are allowed.");
        Add(ContractErrors.RecipientLength, v => $"The age recipient has {v.Integer(0)} bytes; {v.Integer(1)} to {v.Integer(2)} are allowed.");
        Add(ContractErrors.NoFounders, _ => "A federation needs at least one founder.");
        Add(ContractErrors.NotFounder, v => $"{v.Address(0)} is no founder of this federation, or has activated its seat already.");
        Add(ContractErrors.FoundingOver, v => $"Founders could activate their seats until {At(v, 0)}. Since then one applies, and is admitted by vote.");
        Add(ContractErrors.StillFounding, v => $"{v.Integer(0)} of the founders {(v.Integer(0).IsOne ? "has" : "have")} yet to activate; until then, or until {At(v, 1)}, nothing can be opened or proposed.");
        Add(ContractErrors.AddressTaken, v => $"{v.Address(0)} belongs to seat {v.Integer(1)} already; an address has one seat, as its holder or its operator.");
        Add(ContractErrors.UnknownApplication, v => $"No application {v.Hash(1)} waits under member id {v.Integer(0)}. It may have been admitted already.");
        Add(ContractErrors.UnknownSeat, v => $"There is no seat {v.Integer(0)}. 'fedchain status' lists the members.");
        Add(ContractErrors.NotEligible, v => $"Seat {v.Integer(0)} does not count for round {v.Integer(1)}: it counts from round {v.Integer(2)} on{(v.Integer(3).IsZero ? "" : $", and was dormant from round {v.Integer(3)} on")}.");
        Add(ContractErrors.LastMember, v => $"Seat {v.Integer(0)} has the only vote there is, which can't be given up, taken or retired.");
        Add(ContractErrors.NotIdle, v => $"The vote of seat {v.Integer(0)} can't be warned or retired before {At(v, 1)}.");
        Add(ContractErrors.AlreadyDormant, v => $"The vote of seat {v.Integer(0)} is retired already.");
        Add(ContractErrors.UnknownAuditor, v => $"{v.Address(0)} is no auditor of this federation.");
        Add(ContractErrors.Soulbound, _ => "A seat can't be transferred, approved or delegated; it can be recovered by vote.");
    }

    private static void AddRounds()
    {
        Sentences.Add(ContractErrors.UnexpectedPhase.Selector, UnexpectedPhase);
        Add(ContractErrors.WrongRound, v => $"The current round is {v.Integer(0)}; the call is about round {v.Integer(1)}.");
        Add(ContractErrors.WrongTurn, v => $"The current turn is {v.Integer(0)}; the call is about turn {v.Integer(1)}.");
        Add(ContractErrors.WrongPolicy, v => $"The policy is {v.Hash(0)}; the call names {v.Hash(1)}. Another policy was set meanwhile.");
        Add(ContractErrors.WrongBase, v => $"The base is {v.Hash(0)}; the call names {v.Hash(1)}.");
        Add(ContractErrors.WrongCandidate, v => $"The candidate of this turn is {v.Hash(0)}; the call names {v.Hash(1)}.");
        Add(ContractErrors.WrongReveal, v => v.Hash(1).IsZero
            ? $"Seat {v.Integer(0)} has made no commitment in this Rounds contract. Run fedchain recommit; it can submit from the next round on."
            : $"The secret opens {v.Hash(2)}, but seat {v.Integer(0)} committed to {v.Hash(1)}. If that secret is lost, run fedchain recommit; the new commitment holds from the next round on.");
        Add(ContractErrors.EmptyManifest, _ => "The manifest's digest is zero.");
        Add(ContractErrors.AlreadySubmitted, v => $"Seat {v.Integer(1)} has submitted in round {v.Integer(0)} already.");
        Add(ContractErrors.NotSubmitter, v => $"Seat {v.Integer(1)} did not submit in round {v.Integer(0)}, and only submitters attest.");
        Add(ContractErrors.NotYourTurn, v => $"Turn {v.Integer(0)} is member {v.Integer(1)}'s, not member {v.Integer(2)}'s.");
        Add(ContractErrors.AlreadyAttested, v => $"Seat {v.Integer(2)} has attested in turn {v.Integer(1)} of round {v.Integer(0)} already.");
        Add(ContractErrors.TooEarlyToOpen, v => $"The next round can't be opened before {At(v, 0)}.");
        Add(ContractErrors.OpeningPaused, _ => "The opening of rounds is paused, until a vote resumes it.");
        Add(ContractErrors.Resting, v => $"The policy let rounds run up to round {v.Integer(0)}. A vote has to set a policy for more: fedchain propose policy.");
        Add(ContractErrors.TooFewMembers, v => $"There are {v.Integer(0)} members, and the policy wants at least {v.Integer(1)} updates: every round would be aborted.");
        Add(ContractErrors.ParamOutOfBounds, v => $"The policy's {VisibleText.Line(v.Text(0))} is {v.Integer(1)}; it has to lie between {v.Integer(2)} and {v.Integer(3)}.");
        Add(ContractErrors.EmptyGenesis, _ => "The genesis, the first adapter's digest, is zero.");
        Add(ContractErrors.AlreadyStarted, v => $"This Rounds contract has opened round {v.Integer(0)} already, so it can't succeed another.");
    }

    private static void AddGovernance()
    {
        Add(ContractErrors.LiveProposal, v => $"Member {v.Integer(0)} has a live proposal, {Proposal(v, 1)}; each member has one at a time. See fedchain proposals {Proposal(v, 1)}.");
        Add(ContractErrors.NoVote, v => $"{v.Address(0)} had no vote when voting on {Proposal(v, 1)} began: only who held a seat then votes on it.");
        Add(ContractErrors.TooEarlyToExecute, v => $"Proposal {Proposal(v, 0)} can be executed from {At(v, 1)} on.");
        Add(ContractErrors.SettingOutOfBounds, v => $"Governance's {VisibleText.Line(v.Text(0))} would be {v.Integer(1)}; it has to lie between {v.Integer(2)} and {v.Integer(3)}.");
        Add(ContractErrors.NoEther, _ => "No ETH is taken here: nothing could pay it out.");
        Add(ContractErrors.GovernorAlreadyCastVote, v => $"{v.Address(0)} has voted on this proposal already; a vote can't be changed.");
        Add(ContractErrors.GovernorUnexpectedProposalState, v => v.Hash(2).IsZero
            ? $"The same proposal, {Proposal(v, 0)}, was made before and is {State(v.Integer(1))}. Another --reason makes it a new one."
            : $"Proposal {Proposal(v, 0)} is {State(v.Integer(1))}; this needs one that is {Bits<ProposalState>(new BigInteger(v.Bytes(2), isUnsigned: true, isBigEndian: true), State)}.");
        Add(ContractErrors.GovernorNonexistentProposal, v => $"There is no proposal {ProposalId.From(v.Integer(0))} here.");
        AddInherited("GovernorInsufficientProposerVotes", v => $"{v.Address(0)} had {v.Integer(1)} votes a second ago; proposing takes {v.Integer(2)}. Only holders of seats propose.");
        AddInherited("GovernorUnableToCancel", v => $"{v.Address(1)} can't cancel proposal {Proposal(v, 0)}: only its proposer can, and only before voting begins.");
        AddInherited("GovernorOnlyExecutor", v => $"Only a vote can do this: the call has to come from Governance, and came from {v.Address(0)}. Use fedchain propose.");
        AddInherited("FailedCall", _ => "A call of the proposal fails without giving a reason.");
    }

    private static string UnexpectedPhase(ContractRefusal refusal)
    {
        var (v, call) = (refusal.Arguments, refusal.Call);
        var until = call is { PhaseUntil: { } end } ? $" until {Time(end, call.At)}" : "";
        return $"Round {v.Integer(0)} is in {Phase(v.Integer(1))}{until}; {call?.Function ?? "this"} needs {Bits<RoundPhase>(v.Integer(2), Phase)}.";
    }

    private static string At(AbiValues values, int index) => Time((ulong)BigInteger.Min(values.Integer(index), ulong.MaxValue));

    private static string Proposal(AbiValues values, int index) => Short(ProposalId.From(values.Integer(index)));

    private static string Phase(BigInteger value) => value == (int)RoundPhase.None ? "no phase (none was opened)" : Name<RoundPhase>(value);

    private static string State(BigInteger value) => Name<ProposalState>(value).ToLowerInvariant();

    private static string Name<T>(BigInteger value)
        where T : struct, Enum => value < byte.MaxValue && Enum.IsDefined(typeof(T), (byte)value) ? Enum.GetName(typeof(T), (byte)value)! : value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The names of the values whose bits are set: "A, B or C".</summary>
    private static string Bits<T>(BigInteger bits, Func<BigInteger, string> name)
        where T : struct, Enum
    {
        var names = Enum.GetValues<T>().Select(v => (BigInteger)Convert.ToByte(v, CultureInfo.InvariantCulture)).Where(v => !((bits >> (int)v) & 1).IsZero).Select(name).ToList();
        return names.Count switch
        {
            0 => "another",
            1 => names[0],
            _ => $"{string.Join(", ", names[..^1])} or {names[^1]}",
        };
    }

    private static void Add(AbiError error, Func<AbiValues, string> sentence) => Sentences.Add(error.Selector, refusal => sentence(refusal.Arguments));

    private static void AddInherited(string name, Func<AbiValues, string> sentence) => Add(ContractErrors.BySelector.Values.Single(e => e.Name == name), sentence);
}
