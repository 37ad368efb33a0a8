namespace FedChain.Protocol.Files;

/// <summary>
/// Error feedback (Seide et al. 2014; Karimireddy et al. 2019): what an encoding leaves out of an update is added to the next one of the same factor, so that
/// over the rounds nothing is lost. wanted = trained - base + residual, residual' = wanted - d.
/// </summary>
public static class ErrorFeedback
{
    /// <param name="encoding">The policy's.</param>
    /// <param name="base">The round's base.</param>
    /// <param name="factors">The round's factors.</param>
    /// <param name="differences">trained - base, over those factors.</param>
    /// <param name="residual">Left by the latest update of this member that entered an aggregate; 0 after a reset or a loss.</param>
    /// <returns>What the update carries, and what is left once it has entered an aggregate. The other factor's residual stays.</returns>
    public static (EncodedDifferences Update, StateVector Residual) Encode(
        UpdateEncoding encoding, Adapter @base, Factors factors, ReadOnlySpan<int> differences, StateVector residual)
    {
        var wanted = residual.Of(factors);
        if (wanted.Length != differences.Length)
        {
            throw new ArgumentException($"The round's factors have {wanted.Length} values; got {differences.Length} differences.", nameof(differences));
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] += differences[i];
        }

        var update = EncodedDifferences.Nearest(encoding, @base, factors, wanted);
        return (update, residual.With(factors, (i, _) => wanted[i] - update.Values[i]));
    }
}
