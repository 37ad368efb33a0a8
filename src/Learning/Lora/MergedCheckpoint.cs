// W' = W + s B A on the layers that the adapter targets, in float32, rounded to the type that the checkpoint stores (Hu et al., arXiv 2106.09685).
using FedChain.Learning.Models;
using FedChain.Learning.Native;
using FedChain.Protocol.Files;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>A base model and an adapter as one Hugging Face checkpoint, which any program opens without knowing of adapters.</summary>
public static class MergedCheckpoint
{
    /// <summary>What goes along with the weights: configuration, tokenizer, template, licence.</summary>
    private static readonly string[] CopiedExtensions = [".json", ".model", ".txt", ".jinja", ".md"];
    private static readonly string[] CopiedNames = ["LICENSE", "NOTICE", "USE_POLICY"];

    /// <summary>
    /// Writes the checkpoint with the base's files, shards, names and types; only the adapted weights differ. One tensor at a time is in memory.
    /// The folder appears whole or not at all.
    /// </summary>
    /// <param name="baseModel">The base model's folder.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="directory">A new folder, or an empty one.</param>
    /// <exception cref="InvalidDataException">The base is missing something or malformed, or the adapter doesn't fit it; the message says how.</exception>
    /// <exception cref="IOException">The folder holds something already, or it can't be written.</exception>
    public static void Write(string baseModel, PeftFolder adapter, string directory, CancellationToken cancellationToken = default)
    {
        NativeTorch.Load();
        var config = DecoderConfig.Read(baseModel);
        var files = ModelFolder.Checked(baseModel, config);
        adapter.RequireFit(baseModel);
        NewFolder.Write(directory, "the merged model", folder =>
        {
            foreach (var file in Directory.EnumerateFiles(baseModel).Where(IsCopied))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            foreach (var (file, header) in files)
            {
                WriteFile(file, header, adapter, Path.Combine(folder, Path.GetFileName(file)), cancellationToken);
            }
        });
    }

    private static bool IsCopied(string file) =>
        CopiedExtensions.Contains(Path.GetExtension(file), StringComparer.Ordinal) || Array.Exists(CopiedNames, n => Path.GetFileName(file).StartsWith(n, StringComparison.Ordinal));

    private static void WriteFile(string source, SafetensorsHeader header, PeftFolder adapter, string target, CancellationToken cancellationToken)
    {
        using var input = File.OpenRead(source);
        using var reader = new WeightReader(source, header);
        using var output = File.Create(target);
        Copy(input, output, header.DataOffset);
        foreach (var entry in header.Tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Product(adapter, entry) is { } added)
            {
                using var scope = NewDisposeScope();
                var weight = empty([.. entry.Shape], float32);
                reader.Fill(entry, weight);
                WeightFiles.Write(output, weight.PlusInPlace(added, adapter.Config.Scale), entry.Type);
                added.Dispose();
                input.Position += entry.Length;
            }
            else
            {
                if (entry.Type is TensorType.Float32 or TensorType.Float16 or TensorType.BFloat16)
                {
                    reader.RequireFinite(entry);
                }

                Copy(input, output, entry.Length);
            }
        }
    }

    /// <summary>B A of the layer whose weight this is; null where it has none.</summary>
    private static Tensor? Product(PeftFolder adapter, SafetensorsTensor entry)
    {
        if (!entry.Name.EndsWith(".weight", StringComparison.Ordinal))
        {
            return null;
        }

        var name = $"base_model.model.{entry.Name[..^".weight".Length]}";
        var factors = adapter.Layout.Tensors.Where(t => t.Name == $"{name}.lora_A.weight" || t.Name == $"{name}.lora_B.weight").ToList();
        return factors is [var a, var b] ? Factor(b).matmul(Factor(a)) : null;

        Tensor Factor(AdapterTensor t) => tensor(adapter.Values.AsSpan(t.Offset, t.Count).ToArray(), [t.Rows, t.Columns]);
    }

    private static void Copy(Stream input, Stream output, long count)
    {
        var buffer = new byte[1 << 20];
        for (; count > 0; count -= Math.Min(count, buffer.Length))
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(count, buffer.Length));
            input.ReadExactly(piece);
            output.Write(piece);
        }
    }
}
