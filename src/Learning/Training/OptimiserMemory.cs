using System.Globalization;

namespace FedChain.Learning.Training;

/// <summary>
/// What AdamW remembers of a training, its running means of the gradients and of their squares, for a later training of the same weights from another
/// point: in a federation, a member's next round. Without it, each short round begins with steps that a single batch decides.
/// </summary>
public sealed class OptimiserMemory
{
    private const string What = "fedchain optimiser memory";

    /// <summary>Updates that are remembered; 0 before the first training.</summary>
    public int Steps { get; private set; }

    internal float[] Mean { get; private set; } = [];

    internal float[] Square { get; private set; } = [];

    internal void Keep(int steps, float[] mean, float[] square) => (Steps, Mean, Square) = (steps, mean, square);

    /// <summary>Writes it as one safetensors file. It tells of the records that were trained on.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="of">Names the weights, so that they aren't taken for others.</param>
    public void Write(Stream stream, string of) => VectorFile.Write(
        stream, new Dictionary<string, float[]> { ["mean"] = Mean, ["square"] = Square },
        new Dictionary<string, string> { ["format"] = What, ["of"] = of, ["steps"] = Steps.ToString(CultureInfo.InvariantCulture) });

    /// <summary>What <see cref="Write"/> wrote; null where it is of other weights.</summary>
    /// <exception cref="InvalidDataException">The file is missing, malformed, or no memory of an optimiser.</exception>
    public static OptimiserMemory? Read(string path, string of)
    {
        try
        {
            var (vectors, metadata) = VectorFile.Read(path, What);
            if (metadata["of"] != of)
            {
                return null;
            }

            var memory = new OptimiserMemory();
            memory.Keep(int.Parse(metadata["steps"], NumberStyles.None, CultureInfo.InvariantCulture), vectors["mean"], vectors["square"]);
            return memory.Mean.Length == memory.Square.Length ? memory : throw new FormatException();
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} is no memory of an optimiser. Remove it: the next training begins without one.", e);
        }
    }
}
