using System.CommandLine;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

/// <summary>Where the model runs and how its weights are held: what a home says, unless the command line does.</summary>
internal sealed class PlacementOptions
{
    private readonly Option<string?> _device = new("--device")
    {
        Description = "Where the model runs: auto (CUDA if there is any), cpu or cuda; the home's setting if not given.",
        HelpName = "DEVICE",
    };

    private readonly Option<string?> _weights = new("--weights")
    {
        Description = "How the base model's weights are held: f32, bf16 (half the memory, and computed in bf16), int8 (a quarter), or auto (f32 on a CPU, bf16 on CUDA); the home's setting if not given.",
        HelpName = "TYPE",
    };

    private readonly Option<int?> _threads = new("--threads")
    {
        Description = "CPU threads of the model; 0 leaves the choice to the library, 1 repeats a training to the bit; the home's setting if not given.",
        HelpName = "NUMBER",
    };

    public PlacementOptions(Command command)
    {
        command.Add(_device);
        command.Add(_weights);
        command.Add(_threads);
    }

    /// <summary>The settings with what was given on the command line in place of the home's.</summary>
    public HomeSettings Apply(ParseResult result, HomeSettings settings) => settings with
    {
        Device = result.GetValue(_device) ?? settings.Device,
        Weights = result.GetValue(_weights) ?? settings.Weights,
        Threads = result.GetValue(_threads) ?? settings.Threads,
    };

    /// <exception cref="UserErrorException">A value that it can't have.</exception>
    public ModelPlacement Read(ParseResult result, HomeSettings settings) => ModelPlacement.Of(Apply(result, settings));
}
