using FedChain.Protocol.Files;

namespace FedChain.Node.Models;

/// <summary>How many bytes an adapter takes, from the shapes in the weight files' headers: the weights themselves are not read.</summary>
internal static class AdapterSize
{
    private const int ValueSize = 4;

    /// <exception cref="InvalidDataException">A weight file is none.</exception>
    public static long Of(BaseModel model, AdapterConfig adapter)
    {
        var values = 0L;
        foreach (var name in model.Files.Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            using var file = File.OpenRead(Path.Combine(model.Path, name));
            foreach (var tensor in SafetensorsHeader.Read(file, file.Length).Tensors)
            {
                if (tensor.Shape.Length == 2 && adapter.Targets.Any(target => tensor.Name.EndsWith($".{target}.weight", StringComparison.Ordinal)))
                {
                    values += adapter.Rank * (tensor.Shape[0] + tensor.Shape[1]);
                }
            }
        }

        return values * ValueSize;
    }
}
