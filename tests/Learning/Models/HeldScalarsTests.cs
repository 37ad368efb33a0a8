using FedChain.Learning.Models;
using TorchSharp;

namespace FedChain.Tests.Learning.Models;

public sealed class HeldScalarsTests
{
    [Fact]
    public void Numbers_outlive_a_garbage_collection_in_the_middle_of_an_operation()
    {
        // With TorchSharp's own x.add_(1.0) this fails after some 10,000 rounds: "Unknown scalar type", or another sum.
        using var scope = torch.NewDisposeScope();
        var done = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                GC.KeepAlive(Enumerable.Range(0, 200).Select(_ => new byte[1000]).ToList());
                GC.Collect(0);
            }
        });
        collector.Start();
        try
        {
            var x = torch.zeros(4096);
            var one = torch.ones(4096);
            for (var round = 0; round < 25_000; round++)
            {
                x.PlusInPlace(1).PlusInPlace(one, 2).TimesInPlace(2).OverInPlace(2).PlusInPlace(-3);
            }

            Assert.Equal(0, x.abs().max().item<float>());
        }
        finally
        {
            Volatile.Write(ref done, true);
            collector.Join();
        }
    }
}
