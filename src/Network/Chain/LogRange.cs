namespace FedChain.Network.Chain;

/// <summary>
/// How many blocks to ask for logs of at once, since nodes limit that by blocks, results, bytes or time, and seldom say by how many: half as many
/// after a refusal, twice as many again after several answers in a row. Safe for several threads.
/// </summary>
internal sealed class LogRange
{
    /// <summary>One look in nine is in vain where the limit lies right above.</summary>
    private const int AnswersToGrow = 8;

    private readonly Lock _lock = new();
    private readonly ulong _most;
    private ulong _size;
    private int _answers;

    public LogRange(ulong most) => _most = _size = most;

    public ulong Size
    {
        get
        {
            lock (_lock)
            {
                return _size;
            }
        }
    }

    public void Answered()
    {
        lock (_lock)
        {
            if (_size < _most && ++_answers == AnswersToGrow)
            {
                (_size, _answers) = (_size > _most / 2 ? _most : _size * 2, 0);
            }
        }
    }

    /// <param name="blocks">How many had been asked for.</param>
    public void Refused(ulong blocks)
    {
        lock (_lock)
        {
            (_size, _answers) = (Math.Max(1, blocks / 2), 0);
        }
    }
}
