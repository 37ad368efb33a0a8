using System.Text.Json;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Ethereum.Contracts;

/// <summary>Holds the hand-written signatures to the compiled contracts of contracts/release.</summary>
public sealed class ContractAbiTests
{
    /// <summary>In the compiled ABI and not asked by FedChain; each line says why.</summary>
    private static readonly Dictionary<string, string[]> Unasked = new()
    {
        ["Membership"] =
        [
            // ERC-721: the seats are soulbound and have better views of their own
            "approve(address,uint256)", "balanceOf(address)", "getApproved(uint256)", "isApprovedForAll(address,address)", "name()", "ownerOf(uint256)",
            "safeTransferFrom(address,address,uint256)", "safeTransferFrom(address,address,uint256,bytes)", "setApprovalForAll(address,bool)",
            "supportsInterface(bytes4)", "symbol()", "tokenURI(uint256)", "transferFrom(address,address,uint256)",
            // ERC-5805 and ERC-6372: what Governance asks of a token with votes
            "CLOCK_MODE()", "clock()", "delegate(address)", "delegateBySig(address,uint256,uint256,uint8,bytes32,bytes32)", "delegates(address)",
            "eip712Domain()", "getVotes(address)", "nonces(address)",
            // between the contracts
            "opening(address)", "voted(address)",
        ],
        ["Governance"] =
        [
            // votes by signature, with parameters, and other powers of the Governor that FedChain does not use
            "BALLOT_TYPEHASH()", "EXTENDED_BALLOT_TYPEHASH()", "castVoteBySig(uint256,uint8,address,bytes)", "castVoteWithReasonAndParams(uint256,uint8,string,bytes)",
            "castVoteWithReasonAndParamsBySig(uint256,uint8,address,string,bytes,bytes)", "getVotesWithParams(address,uint256,bytes)", "relay(address,uint256,bytes)",
            "setProposalThreshold(uint256)", "proposalThreshold()", "nonces(address)",
            // self-description
            "CLOCK_MODE()", "COUNTING_MODE()", "clock()", "eip712Domain()", "name()", "version()", "supportsInterface(bytes4)", "token()",
            // the same as hashProposal, and as Membership's votes; a constant
            "getProposalId(address[],uint256[],bytes[],bytes32)", "getVotes(address,uint256)", "proposalNeedsQueuing(uint256)",
            // refuse tokens sent by mistake
            "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)", "onERC1155Received(address,address,uint256,uint256,bytes)",
            "onERC721Received(address,address,uint256,bytes)",
        ],
        ["Rounds"] =
        [
            "eip712Domain()", // self-description
            "departed(uint256,bool)", "register(uint256,bytes32)", "succeed(uint256)", // by Membership
        ],
    };

    /// <summary>Events that say again what ours say, or that can't happen.</summary>
    private static readonly string[] Unread =
    [
        "Approval(address,address,uint256)", "ApprovalForAll(address,address,bool)", "DelegateChanged(address,address,address)",
        "DelegateVotesChanged(address,uint256,uint256)", "EIP712DomainChanged()", "Transfer(address,address,uint256)",
        "ProposalThresholdSet(uint256,uint256)",
    ];

    public static TheoryData<string> Names => ["Membership", "Governance", "Rounds"];

    [Theory, MemberData(nameof(Names))]
    public void Every_function_is_known_or_left_out_for_a_reason(string name)
    {
        var compiled = Entries(name, "function").Select(AbiFunction.FromJson).ToDictionary(f => f.Signature);
        var ours = Functions(name).ToDictionary(f => f.Signature);
        Assert.Empty(ours.Keys.Except(compiled.Keys));
        Assert.Empty(Unasked[name].Except(compiled.Keys));
        Assert.Empty(Unasked[name].Intersect(ours.Keys));
        Assert.Empty(compiled.Keys.Except(ours.Keys).Except(Unasked[name]));
        foreach (var (signature, function) in ours)
        {
            Assert.Equal(compiled[signature].Selector, function.Selector);
            Assert.Equal(Shape(compiled[signature].Outputs), Shape(function.Outputs));
            Assert.Equal(compiled[signature].Inputs.Select(i => i.Name.TrimEnd('_')), function.Inputs.Select(i => i.Name.TrimEnd('_')));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_constructor_takes_what_we_give(string name)
    {
        var compiled = AbiConstructor.FromJson(Entries(name, "constructor").Single());
        var ours = name switch { "Membership" => MembershipAbi.Constructor, "Governance" => GovernanceAbi.Constructor, _ => RoundsAbi.Constructor };
        Assert.Equal(compiled.ToString(), ours.ToString());
        Assert.Equal(compiled.Inputs.Select(i => i.Name), ours.Inputs.Select(i => i.Name));
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_error_is_known_with_its_arguments(string name)
    {
        foreach (var error in Entries(name, "error").Select(AbiError.FromJson))
        {
            Assert.True(ContractErrors.BySelector.TryGetValue(error.Selector, out var ours), $"{error} is unknown");
            Assert.Equal(error.Signature, ours.Signature);
            Assert.Equal(error.Inputs.Select(i => i.Name), ours.Inputs.Select(i => i.Name));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_event_is_known_or_left_out_for_a_reason(string name)
    {
        var ours = ContractEvents.All.ToDictionary(e => e.Topic);
        foreach (var compiled in Entries(name, "event").Select(AbiEvent.FromJson).Where(e => !Unread.Contains(e.Signature)))
        {
            Assert.True(ours.TryGetValue(compiled.Topic, out var known), $"{compiled} is unknown");
            Assert.Equal(compiled.Inputs.Select(i => (i.Name, i.IsIndexed)), known.Inputs.Select(i => (i.Name, i.IsIndexed)));
        }
    }

    [Fact]
    public void We_know_no_events_and_errors_that_no_contract_has()
    {
        var entries = Names.SelectMany(row => Entries(row.Data, "event").Select(AbiEvent.FromJson)).Select(e => e.Topic).ToHashSet();
        Assert.All(ContractEvents.All, e => Assert.Contains(e.Topic, entries));
        var errors = Names.SelectMany(row => Entries(row.Data, "error").Select(AbiError.FromJson)).Select(e => e.Selector).ToHashSet();
        Assert.Empty(ContractErrors.BySelector.Where(e => !errors.Contains(e.Key)).Select(e => e.Value.Signature).Except(["Error(string)", "Panic(uint256)"]));
    }

    [Fact]
    public void A_refusal_shows_its_name_and_values()
    {
        var refusal = ContractRefusal.Decode(ContractErrors.WrongTurn.Encode(1, 0));
        Assert.True(refusal.Is(ContractErrors.WrongTurn));
        Assert.Equal("WrongTurn(expected: 1, actual: 0)", refusal.ToString());
        Assert.Equal("Error(message: \"no\")", ContractRefusal.Decode(AbiError.Text.Encode("no")).ToString());
        Assert.Equal("Unknown()", ContractRefusal.Decode([]).ToString());
        Assert.Equal("Unknown(0x01020304)", ContractRefusal.Decode([1, 2, 3, 4]).ToString());
        Assert.StartsWith("malformed WrongTurn", ContractRefusal.Decode(ContractErrors.WrongTurn.Selector.ToArray()).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_out_of_its_range_is_refused()
    {
        var aborted = ContractEvents.All.Single(e => e.Name == "RoundAborted");
        byte[] Data(byte reason) => AbiEncoder.Encode([AbiType.Parse("uint8"), AbiType.Parse("uint64")], [reason, 5]);
        Assert.Equal(new RoundAborted(new RoundId(1), AbortReason.TooFewIncluded, 5), ContractEvents.Decode([aborted.Topic, Round(1)], Data(2)));
        Assert.Throws<FormatException>(() => ContractEvents.Decode([aborted.Topic, Round(1)], Data(3)));
        Assert.Throws<FormatException>(() => ContractEvents.Decode([aborted.Topic, Hash256.Parse("0x" + new string('f', 64))], Data(0)));
        Assert.Null(ContractEvents.Decode([Hash256.Zero], []));
        Assert.Null(ContractEvents.Decode([], []));
    }

    private static Hash256 Round(ulong number) => ((FedChain.Protocol.Ethereum.Word)number).Bits;

    private static IReadOnlyList<AbiFunction> Functions(string name) =>
        name switch { "Membership" => MembershipAbi.Functions, "Governance" => GovernanceAbi.Functions, _ => RoundsAbi.Functions };

    /// <summary>Types with the names of structs' fields; a result's own name is taste.</summary>
    private static IEnumerable<string> Shape(IReadOnlyList<AbiParameter> parameters) =>
        parameters.Select(p => p.Type + string.Concat(p.Type.Components.Select(c => " " + c.Name)));

    private static IEnumerable<JsonElement> Entries(string name, string type)
    {
        var path = Path.Combine(Shared.RepositoryRoot, "contracts", "release", name + ".json");
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. json.RootElement.GetProperty("abi").EnumerateArray().Where(e => e.GetProperty("type").GetString() == type).Select(e => e.Clone())];
    }
}
