namespace FedChain.Learning.Models;

/// <summary>How the rotary frequencies of a model are stretched to a longer context than it was first trained on (<c>rope_scaling</c>).</summary>
public abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>All frequencies divided by a factor.</summary>
    /// <param name="Factor"><c>factor</c>, at least 1.</param>
    public sealed record Linear(double Factor) : RopeScaling;

    /// <summary>Llama 3.1's: long waves divided by the factor, short ones kept, and a ramp in between.</summary>
    /// <param name="Factor"><c>factor</c>, at least 1.</param>
    /// <param name="LowFrequencyFactor"><c>low_freq_factor</c>: waves longer than the original context divided by it are long.</param>
    /// <param name="HighFrequencyFactor"><c>high_freq_factor</c>, above the low one: waves shorter than the original context divided by it are short.</param>
    /// <param name="OriginalContext"><c>original_max_position_embeddings</c>, in tokens.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContext) : RopeScaling;
}
