using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedChain.Learning.Lora;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Cli;

internal static class AdapterImportCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("directory") { Description = "A PEFT folder: adapter_config.json and adapter_model.safetensors." };
        var home = CommonOptions.Home();
        var name = new Option<string?>("--name") { Description = "What the home is to call it; the folder's own name if not given.", HelpName = "NAME" };
        var model = new Option<DirectoryInfo?>("--model") { Description = "Check it against this base model alone, instead of the federation's policy.", HelpName = "DIR" };
        var rpc = CommonOptions.Rpc();
        var json = CommonOptions.Json();
        var command = new Command("import", """
            Takes an adapter from elsewhere into the home, to be used as imported:NAME by generate, evaluate, chat, 'adapter keep' and 'adapter merge'. Rank,
            alpha, targets and base model must be those of the federation's policy; of a home without a federation, or with --model, the shapes must fit
            the base model. The values are rounded to the federation's fixed point; what that can't hold is refused.

            Example:
              fedchain adapter import --home /srv/fedchain my-adapter/
              fedchain generate --home /srv/fedchain --adapter imported:my-adapter "What are the treatments for ...?"
            """)
        { directory, home, name, model, rpc, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var source = Path.TrimEndingDirectorySeparator(result.GetRequiredValue(directory).FullName);
            var given = PeftFolder.Read(source);
            var policy = result.GetValue(model) is null && folder.Settings.Federation is not null ? await PolicyAsync(folder, result.GetValue(rpc), cancellationToken) : null;
            var baseModel = BaseModel.Open(result.GetValue(model)?.FullName ?? folder.Settings.Model ?? BaseModel.Own);
            var origin = AdapterOrigin.BaseModelOf(source);
            if (policy is not null)
            {
                RequireConfig(given.Config, policy.Adapter);
            }

            given.RequireFit(baseModel.Path);
            var digest = await baseModel.DigestAsync(cancellationToken);
            new ChosenAdapter(source, given, origin).RequireBase(baseModel, digest);
            if (policy is not null && policy.BaseModel != digest)
            {
                throw new UserErrorException($"{baseModel.Path} has the digest {digest}, but the federation's policy names {policy.BaseModel}. Get the same files as the other members.");
            }

            var (imported, rounding) = ImportedAdapter.Add(
                folder, result.GetValue(name) ?? Path.GetFileName(source), given, policy?.Adapter.FractionBits ?? FixedPoint.DefaultFractionBits, digest);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { name = imported.Name, adapter = imported.Digest.ToString(), baseModel = digest.ToString(), folder = imported.Folder, rounding, saysItsBase = origin is not null }, JsonOutput.Options));
                return;
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                Imported as imported:{imported.Name}, adapter {imported.Digest}: rank {given.Config.Rank}, alpha {given.Config.Alpha}, on {string.Join(", ", given.Config.Targets)}.
                  It fits {(policy is null ? $"the base model {baseModel.Path}" : "the federation's policy")}; {(origin is null ? "that it was trained on these very weights, nobody says" : "it says that it is for these very weights")}. Values were rounded by up to {rounding:0.0e0}.
                """));
        });
        return command;
    }

    private static async Task<Policy> PolicyAsync(HomeFolder home, IReadOnlyList<string>? rpc, CancellationToken cancellationToken)
    {
        await using var session = await ChainSession.OpenAsync(home, rpc, federation: null, TimeProvider.System, cancellationToken);
        var policy = session.Reader.State.LatestPolicy ?? throw new UserErrorException("The federation has no policy yet. Try again when it has, or use --model DIR.");
        return Policy.Parse(System.Text.Encoding.UTF8.GetBytes(policy.Json));
    }

    private static void RequireConfig(AdapterConfig given, AdapterConfig agreed)
    {
        var fault = given.Rank != agreed.Rank ? $"rank {given.Rank}, the federation's policy says {agreed.Rank}"
            : given.Alpha != agreed.Alpha ? $"alpha {given.Alpha}, the federation's policy says {agreed.Alpha}"
            : given.RsLora != agreed.RsLora ? $"rank-stabilised scaling {(given.RsLora ? "on" : "off")}, the federation's policy has it {(agreed.RsLora ? "on" : "off")}"
            : !given.Targets.SequenceEqual(agreed.Targets) ? $"the targets {string.Join(", ", given.Targets)}, the federation's policy says {string.Join(", ", agreed.Targets)}"
            : null;
        if (fault is not null)
        {
            throw new UserErrorException($"The adapter has {fault}. Use --model DIR to import it for a base model regardless of the policy.");
        }
    }
}
