using System.Security.Cryptography;
using System.Text;
using FedChain.Protocol;

namespace FedChain.Node.Models;

/// <summary>A base model in Hugging Face layout: which files make it up, and the digest that names it on the chain.</summary>
public sealed class BaseModel
{
    private const string Configuration = "config.json";

    private static readonly string[] TokenizerFiles = ["tokenizer.json", "tokenizer.model"];

    private BaseModel(string path, IReadOnlyList<string> files) => (Path, Files) = (path, files);

    public string Path { get; }

    /// <summary>Names of the files that fix the model's numbers, sorted by their bytes: configuration, tokenizer, weights.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The model that comes with the program.</summary>
    public static string Own => System.IO.Path.Combine(AppContext.BaseDirectory, "models", "base");

    /// <exception cref="UserErrorException">The folder or one of the files it needs is missing.</exception>
    public static BaseModel Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new UserErrorException($"The model folder {path} does not exist. Name a folder in Hugging Face layout: {Configuration}, tokenizer.json or tokenizer.model, *.safetensors.");
        }

        var names = Directory.EnumerateFiles(path).Select(f => System.IO.Path.GetFileName(f)!).ToHashSet(StringComparer.Ordinal);
        var weights = names.Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal) || n == "model.safetensors.index.json").ToList();
        var tokenizer = TokenizerFiles.Where(names.Contains).ToList();
        var missing = new List<string>();
        if (!names.Contains(Configuration))
        {
            missing.Add(Configuration);
        }

        if (tokenizer.Count == 0)
        {
            missing.Add("tokenizer.json (or tokenizer.model)");
        }

        if (!weights.Any(w => w.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            missing.Add("model.safetensors");
        }

        if (missing.Count > 0)
        {
            throw new UserErrorException($"The model folder {path} lacks {string.Join(" and ", missing)}. A base model is a Hugging Face folder with {Configuration}, a tokenizer and its weights as safetensors.");
        }

        string[] files = [Configuration, .. tokenizer, .. weights];
        Array.Sort(files, StringComparer.Ordinal);
        return new BaseModel(System.IO.Path.GetFullPath(path), files);
    }

    /// <summary>SHA-256 of the lines "hash  name\n", as <c>sha256sum</c> would print them for <see cref="Files"/>.</summary>
    public async Task<Hash256> DigestAsync(CancellationToken cancellationToken)
    {
        var lines = new StringBuilder();
        foreach (var name in Files)
        {
            await using var file = File.OpenRead(System.IO.Path.Combine(Path, name));
            lines.Append(Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken))).Append("  ").Append(name).Append('\n');
        }

        return new Hash256(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())));
    }
}
