namespace FedChain.Node.Peer;

/// <summary>A plaintext in memory; the next one is opened when it is disposed of.</summary>
/// <param name="plaintext">Checked against its digest.</param>
/// <param name="from">Who served it.</param>
/// <param name="turns">Where it gives its turn back.</param>
internal sealed class OpenedFile(byte[] plaintext, string from, Turns turns) : IDisposable
{
    private Turns? _turns = turns;

    public byte[] Plaintext => plaintext;

    public string From => from;

    public void Dispose() => Interlocked.Exchange(ref _turns, null)?.GiveBack();
}
