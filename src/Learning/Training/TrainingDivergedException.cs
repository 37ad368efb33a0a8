namespace FedChain.Learning.Training;

/// <summary>A training came upon a loss or gradient that is no number. The weights are those of the last step whose loss was one.</summary>
public sealed class TrainingDivergedException(int step, int lastGoodStep, string what) : Exception(
    $"{what} is no longer a finite number at step {step}. The weights are those of step {lastGoodStep}, the last good one. Lower the learning rate or look for damaged data.")
{
    /// <summary>The step, counted from 1, at which it was seen; one more than there were if it was the last one's update.</summary>
    public int Step { get; } = step;

    /// <summary>Updates that the weights have been given and that were kept; 0 means the weights as they came.</summary>
    public int LastGoodStep { get; } = lastGoodStep;
}
