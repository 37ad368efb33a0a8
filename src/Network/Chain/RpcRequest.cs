using System.Text.Json;

namespace FedChain.Network.Chain;

/// <summary>One request of a batch: the method and its parameters, as anything that serialises to JSON.</summary>
internal sealed record RpcRequest(string Method, params object?[] Parameters);

/// <summary>The answer to one request: a result or the node's error.</summary>
/// <param name="Source">Who gave it.</param>
internal readonly record struct RpcReply(JsonElement Result, ChainException? Error, RpcProvider Source)
{
    /// <exception cref="ChainException">The node's error.</exception>
    public JsonElement Value => Error is null ? Result : throw Error;
}
