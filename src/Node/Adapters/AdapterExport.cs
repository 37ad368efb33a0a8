using System.Globalization;
using System.Security.Cryptography;
using FedChain.Learning.Lora;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Adapters;

/// <summary>A global adapter on its way to other programs: a PEFT folder, with what is needed to tell where it comes from.</summary>
/// <param name="ChainId">The chain.</param>
/// <param name="Federation">Membership's address.</param>
/// <param name="Round">The round that finalised it.</param>
/// <param name="Policy">The policy in force in that round.</param>
/// <param name="Contributors">Whose updates it was computed from, and which model each came from; null if the global manifest wasn't to be had.</param>
internal sealed record AdapterExport(ulong ChainId, Address Federation, RoundState Round, Policy Policy, IReadOnlyList<(MemberId Member, Hash256? Model)>? Contributors)
{
    public const string CardFile = "README.md";

    private Candidate Winner => Round.Winner!;

    /// <summary>Writes the folder, whole or not at all. The weights are the very file whose SHA-256 is on the chain; that is checked once they are written.</summary>
    /// <exception cref="UserErrorException">The folder exists and is not empty.</exception>
    public void Write(Adapter adapter, string directory, string? baseModel)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
        {
            throw new UserErrorException($"{target} exists and is not an empty folder. Name a new folder for the adapter; nothing is overwritten.");
        }

        var building = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            var values = new float[adapter.Layout.Count];
            FixedPoint.Dequantize(adapter.Values, adapter.FractionBits, values);
            new PeftFolder(Policy.Adapter, adapter.Layout, values).Write(building, baseModel);
            var weights = Path.Combine(building, PeftFolder.WeightsFile);
            using (var file = File.OpenRead(weights))
            {
                var written = new Hash256(SHA256.HashData(file));
                if (written != Winner.Aggregate)
                {
                    throw new InvalidDataException($"{PeftFolder.WeightsFile} was written with the digest {written}, but round {Round.Id} finalised {Winner.Aggregate}. Check the disk; nothing was exported.");
                }
            }

            File.WriteAllBytes(Path.Combine(building, AdapterOrigin.FileName), [.. CanonicalJson.Serialize(Provenance()), (byte)'\n']);
            File.WriteAllText(Path.Combine(building, CardFile), Card(baseModel));
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(building, target);
        }
        finally
        {
            if (Directory.Exists(building))
            {
                Directory.Delete(building, recursive: true);
            }
        }
    }

    private JsonValue Provenance() => JsonValue.Of(
        ("adapterConfig", Policy.Adapter.Digest),
        ("aggregate", Winner.Aggregate),
        ("base", Round.Base),
        ("baseModel", Policy.BaseModel),
        ("chain", (long)ChainId),
        ("contributors", Contributors is null ? new JsonValue.Null() : JsonValue.Of(Contributors.Select(c => JsonValue.Of(
            ("did", new MemberDid(ChainId, Federation, c.Member).ToString()), ("model", c.Model is { } model ? (JsonValue)model : new JsonValue.Null()))))),
        ("federation", Federation),
        ("finalisedAt", (long)Round.FinalisedAt!.Value),
        ("kind", "adapter"),
        ("manifest", Cid.RawOf(Winner.Manifest).ToString()),
        ("policy", Round.Policy),
        ("round", (long)Round.Id.Value),
        ("v", 1));

    private string Card(string? baseModel)
    {
        var contributors = Contributors is null
            ? "The global manifest names them; it was not to be had when this folder was written.\n"
            : string.Concat(Contributors.Select(c => $"- `{new MemberDid(ChainId, Federation, c.Member)}`, model `{c.Model?.ToString() ?? "unknown"}`\n"));
        var name = baseModel ?? "BASE_MODEL";
        return string.Create(CultureInfo.InvariantCulture, $"""
            ---
            library_name: peft
            {(baseModel is null ? "" : $"base_model: {System.Text.Json.JsonSerializer.Serialize(baseModel)}\n")}tags:
            - lora
            - federated-learning
            ---
            # Global adapter of round {Round.Id}

            A LoRA adapter that the members of a FedChain federation trained together. No record left the member that it belongs to.

            | | |
            | --- | --- |
            | chain | {ChainId} |
            | federation (Membership) | `{Federation}` |
            | round | {Round.Id}, starting from `{Round.Base}` |
            | aggregate: SHA-256 of `{PeftFolder.WeightsFile}` | `{Winner.Aggregate}` |
            | base model, digest | `{Policy.BaseModel}` |
            | rank, alpha | {Policy.Adapter.Rank}, {Policy.Adapter.Alpha} |
            | targets | {string.Join(", ", Policy.Adapter.Targets)} |

            Computed from the updates of:

            {contributors}
            `sha256sum {PeftFolder.WeightsFile}` prints the aggregate; `fedchain verify` says whether the chain's history holds. {AdapterOrigin.FileName} has all of
            this for programs.

            ## Use

            ```python
            from peft import PeftModel
            from transformers import AutoModelForCausalLM

            model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({System.Text.Json.JsonSerializer.Serialize(name)}), ".")
            ```

            It was trained on: beginning of text, prompt, line feed, response, end of text; prompt and response tokenized each for itself.

            """);
    }
}
