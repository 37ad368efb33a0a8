using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>A call of a sequence: when, by whom, of what. Mirror and contract are given the same bytes.</summary>
/// <param name="Time">Of its block, Unix seconds.</param>
/// <param name="By">The sender's name, see <see cref="Scene.Account"/>.</param>
/// <param name="To">The contract.</param>
internal sealed record Operation(ulong Time, string By, Address To, AbiFunction Function, ReadOnlyMemory<byte> Data)
{
    private static readonly Dictionary<string, AbiFunction> Functions = new[]
    {
        RoundsAbi.Open, RoundsAbi.Submit, RoundsAbi.Publish, RoundsAbi.Attest, RoundsAbi.AttestBySignatures, RoundsAbi.Recommit, RoundsAbi.SetPolicy,
        RoundsAbi.SetPaused, Internal.Register, Internal.Departed, Internal.Succeed,
        MembershipAbi.Activate, MembershipAbi.ApplyForSeat, MembershipAbi.Admit, MembershipAbi.SetOperator, MembershipAbi.UpdateProfile, MembershipAbi.Resign,
        MembershipAbi.Wake, MembershipAbi.Dormant, MembershipAbi.Expel, MembershipAbi.Recover, MembershipAbi.GrantAuditor, MembershipAbi.RevokeAuditor,
        MembershipAbi.SetRounds, Internal.Voted, Internal.Opening,
    }.ToDictionary(f => f.Name);

    public Address Sender => Scene.Account(By);

    public AbiValues Arguments => Function.DecodeInput(Data.Span);

    public static Operation Of(ulong time, string by, Address to, AbiFunction function, params IReadOnlyList<object> arguments) =>
        new(time, by, to, function, function.Encode(arguments));

    /// <summary>Reads what <see cref="ToJson"/> writes.</summary>
    /// <exception cref="FormatException">Something else.</exception>
    public static Operation FromJson(JsonElement json, Names names)
    {
        var name = json.GetProperty("call").GetString()!;
        var function = Functions.GetValueOrDefault(name) ?? throw new FormatException($"'{name}' is no call of a sequence; those are {string.Join(", ", Functions.Keys)}.");
        var to = json.TryGetProperty("of", out var contract) ? Scene.Account(contract.GetString()!) : Home(function);
        var arguments = json.TryGetProperty("with", out var with) ? with.EnumerateArray().ToList() : [];
        return arguments.Count == function.Inputs.Count
            ? Of(Scene.Start + json.GetProperty("at").GetUInt64(), json.GetProperty("by").GetString()!, to, function, [.. arguments.Select((a, i) => Read(function.Inputs[i].Type, a, names))])
            : throw new FormatException($"{function} takes {function.Inputs.Count} arguments, found {with}.");
    }

    /// <summary><c>at</c> (seconds since the deployment), <c>by</c>, <c>call</c>, <c>of</c> (unless it is the first Rounds, or Membership), <c>with</c>.</summary>
    public JsonObject ToJson(Names names)
    {
        var json = new JsonObject { ["at"] = Time - Scene.Start, ["by"] = By, ["call"] = Function.Name };
        if (To != Home(Function))
        {
            json["of"] = Scene.NameOf(To);
        }

        if (Function.Inputs.Count > 0)
        {
            json["with"] = new JsonArray([.. Arguments.Select((a, i) => Write(Function.Inputs[i].Type, a, names))]);
        }

        return json;
    }

    private static Address Home(AbiFunction function) => RoundsAbi.Functions.Contains(function) || Internal.OfRounds.Contains(function) ? Scene.Rounds : Scene.Membership;

    private static JsonNode Write(AbiType type, object value, Names names) => value switch
    {
        bool flag => flag,
        string text => text,
        Address address => Scene.NameOf(address),
        byte[] bytes when type.Kind == AbiKind.FixedBytes => names.Of(new Hash256(bytes)),
        byte[] bytes => names.Of(bytes),
        System.Numerics.BigInteger integer => (ulong)integer,
        AbiValues list => new JsonArray([.. list.Select((v, i) => Write(ElementOf(type, i), v, names))]),
        _ => throw new NotSupportedException($"{value.GetType()} is no argument of a sequence."),
    };

    private static object Read(AbiType type, JsonElement json, Names names) => type.Kind switch
    {
        AbiKind.Bool => json.GetBoolean(),
        AbiKind.String => json.GetString()!,
        AbiKind.Address => Scene.Account(json.GetString()!),
        AbiKind.FixedBytes => names.Hash(json.GetString()!),
        AbiKind.Bytes => names.Signature(Ballot.Parse(json.GetString()!, names)),
        AbiKind.UInt => json.GetUInt64(),
        AbiKind.Array or AbiKind.Tuple => new AbiValues([.. json.EnumerateArray().Select((v, i) => Read(ElementOf(type, i), v, names))]),
        _ => throw new NotSupportedException($"{type} is no type of a sequence's arguments."),
    };

    private static AbiType ElementOf(AbiType type, int index) => type.Kind == AbiKind.Tuple ? type.Components[index].Type : type.Element!;
}

/// <summary>What the three contracts call of each other. Peers don't, so that their ABI leaves them out; here outsiders try.</summary>
internal static class Internal
{
    public static AbiFunction Register { get; } = AbiFunction.Parse("register(uint256 id, bytes32 commitment)");

    public static AbiFunction Departed { get; } = AbiFunction.Parse("departed(uint256 id, bool eligible)");

    public static AbiFunction Succeed { get; } = AbiFunction.Parse("succeed(uint256 round)");

    public static AbiFunction Voted { get; } = AbiFunction.Parse("voted(address holder)");

    public static AbiFunction Opening { get; } = AbiFunction.Parse("opening(address operator) returns (uint256 id, uint256 members)");

    public static IReadOnlyList<AbiFunction> OfRounds { get; } = [Register, Departed, Succeed];
}
