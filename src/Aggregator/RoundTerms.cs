using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Aggregator;

/// <summary>What an update of a round must agree with, as the chain has it.</summary>
/// <param name="Chain">The chain's id.</param>
/// <param name="Rounds">The Rounds contract.</param>
/// <param name="Round">The round.</param>
/// <param name="PolicyHash">Hash of the policy in force, over its JSON, its parameters and its genesis.</param>
/// <param name="Policy">That policy's JSON.</param>
/// <param name="Finalised">Rounds finalised under the current genesis before this one: the place in the factor schedule.</param>
/// <param name="BaseDigest">SHA-256 of the base adapter's file.</param>
/// <param name="Base">The base adapter.</param>
/// <param name="Beacon">The round's beacon, final once the submissions are closed: whatever a rule draws by lot comes from it.</param>
public sealed record RoundTerms(
    ulong Chain, Address Rounds, RoundId Round, Hash256 PolicyHash, Policy Policy, ulong Finalised, Hash256 BaseDigest, Adapter Base, Hash256 Beacon)
{
    /// <summary>The factors that the round trains.</summary>
    public Factors Factors => Policy.FactorsAt(Finalised);
}
