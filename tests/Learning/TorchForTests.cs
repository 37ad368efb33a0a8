using System.Runtime.CompilerServices;
using FedChain.Learning.Native;

namespace FedChain.Tests.Learning;

internal static class TorchForTests
{
    /// <summary>Many tests touch torch before anything of ours; the program itself always comes through <see cref="NativeTorch.Load"/>. One thread: same bits.</summary>
    [ModuleInitializer]
#pragma warning disable CA2255 // the test assembly is an application
    public static void Load()
#pragma warning restore CA2255
    {
        try
        {
            NativeTorch.Load();
            TorchSharp.torch.set_num_threads(1);
        }
        catch (DllNotFoundException)
        {
            // Each test that needs torch meets the same error again and reports it.
        }
    }
}
