namespace FedChain.Aggregator.Rules;

/// <summary>Sums of squares in 128 bits, and rows for a piece of each update of which they are made.</summary>
internal sealed class SquareSums(int count, int rows)
{
    private readonly UInt128[] _sums = new UInt128[count];
    private readonly int[] _pieces = new int[rows * Squares.MaxPiece];

    public ref UInt128 this[int index] => ref _sums[index];

    /// <summary>The first integers of a row.</summary>
    public Span<int> Row(int row, int length) => _pieces.AsSpan(row * Squares.MaxPiece, length);

    public void Add(SquareSums other)
    {
        for (var i = 0; i < _sums.Length; i++)
        {
            _sums[i] += other._sums[i];
        }
    }
}
