namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>A call to Rounds that came in the wrong phase, and what the contract's refusal leaves out.</summary>
/// <param name="Function">Its name, such as <c>publish</c>.</param>
/// <param name="At">When it was refused, Unix seconds by the sender's clock.</param>
/// <param name="PhaseUntil">When the phase that the refusal names ends by itself, in chain seconds; null if it doesn't, or if that couldn't be read.</param>
public sealed record RefusedCall(string Function, ulong At, ulong? PhaseUntil);
