namespace FedChain.Learning.Training;

/// <summary>
/// What AdamW remembers of a training, its running means of the gradients and of their squares, for a later training of the same weights from another
/// point: in a federation, a member's next round. Without it, each short round begins with steps that a single batch decides.
/// </summary>
public sealed class OptimiserMemory
{
    /// <summary>Updates that are remembered; 0 before the first training.</summary>
    public int Steps { get; private set; }

    internal float[] Mean { get; private set; } = [];

    internal float[] Square { get; private set; } = [];

    internal void Keep(int steps, float[] mean, float[] square) => (Steps, Mean, Square) = (steps, mean, square);
}
