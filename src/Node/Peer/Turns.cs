using System.Threading.Channels;

namespace FedChain.Node.Peer;

/// <summary>So many at a time; who waited longest is next.</summary>
internal sealed class Turns
{
    private readonly Channel<bool> _free = Channel.CreateUnbounded<bool>();

    public Turns(int atATime)
    {
        for (var i = 0; i < atATime; i++)
        {
            GiveBack();
        }
    }

    public ValueTask<bool> TakeAsync(CancellationToken cancellationToken) => _free.Reader.ReadAsync(cancellationToken);

    public void GiveBack() => _free.Writer.TryWrite(true);
}
