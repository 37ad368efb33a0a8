namespace FedChain.Learning.Generation;

/// <summary>
/// Texts that grow turn by turn: of each, only what is new is computed. It belongs to its model, with the adapter that was attached when it began; end it
/// before the adapter is changed.
/// </summary>
public sealed class Conversation : IDisposable
{
    private readonly Generator _generator;
    private readonly IDisposable? _merged;

    internal Conversation(Generator generator, IDisposable? merged) => (_generator, _merged) = (generator, merged);

    /// <summary>Continues a text, token by token as they come; abandoned halfway, the next text can still begin with what came.</summary>
    /// <exception cref="ArgumentException">The text is empty, longer than the context, or holds ids outside the vocabulary; or an option is out of range.</exception>
    public IEnumerable<int> Continue(int[] text, GenerationOptions options, CancellationToken cancellationToken = default) => _generator.Continue(text, options, cancellationToken);

    public void Dispose()
    {
        _generator.Dispose();
        _merged?.Dispose();
    }
}
