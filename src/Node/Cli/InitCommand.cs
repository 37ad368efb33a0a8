using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Cli;

internal static class InitCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var name = new Option<string>("--name") { Description = "The institution's display name.", HelpName = "NAME", Required = true };
        var listen = new Option<string>("--listen")
        {
            Description = "Where the content endpoint listens, address:port.",
            DefaultValueFactory = _ => "0.0.0.0:7420",
        };
        var endpoint = new Option<string?>("--endpoint")
        {
            Description = "The content endpoint's URL as the other members reach it, published when the seat is taken. If not given: http://LISTEN, with this machine's name where that is 0.0.0.0.",
            HelpName = "URL",
        };
        var data = new Option<FileInfo?>("--data") { Description = "The institution's records, *.jsonl or *.jsonl.gz.", HelpName = "FILE" };
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model, in Hugging Face layout.", HelpName = "DIR" };
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var passphrase = CommonOptions.PassphraseFile();
        var privateEndpoints = new Option<bool>("--allow-private-endpoints") { Description = "Talk to members on private or loopback addresses." };
        var json = CommonOptions.Json();

        var command = new Command("init", """
            Makes an institution's home: settings, and new keys sealed with a passphrase.

            Example:
              fedchain init --home /srv/fedchain --name "St. Anne's Hospital" --listen 0.0.0.0:7420 \
                --endpoint https://fedchain.st-anne.example --data records.jsonl.gz --model models/llama-3.2-1b --rpc https://rpc.example

            Give the holder's address to whoever deploys the federation. Back the home up (fedchain backup): nobody can make
            these keys again.
            """)
        { home, name, listen, endpoint, data, model, rpc, federation, passphrase, privateEndpoints, json };
        var (placement, training, ipfs) = (new PlacementOptions(command), new LocalTrainingOptions(command), new IpfsOptions(command));
        command.SetAction(result =>
        {
            var settings = new HomeSettings
            {
                Name = result.GetRequiredValue(name),
                Listen = CheckedListen(result.GetRequiredValue(listen)),
                Endpoint = CheckedEndpoint(result.GetValue(endpoint)?.TrimEnd('/') ?? UsualEndpoint(result.GetRequiredValue(listen))),
                Rpc = result.GetValue(rpc) is { Length: > 0 } urls ? RpcUrls.Of(urls).Given : null,
                Federation = result.GetValue(federation),
                Data = result.GetValue(data)?.FullName,
                Model = result.GetValue(model)?.FullName,
                Seed = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)) >> 11,
                Training = training.Apply(result, result.GetValue(model) is null ? new() : LocalTraining.ForCheckpoints),
                AllowPrivateEndpoints = result.GetValue(privateEndpoints),
            };
            settings = ipfs.Apply(result, placement.Apply(result, settings));
            _ = ModelPlacement.Of(settings); // refuses what can't be
            var secret = Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: true);
            var made = HomeFolder.Create(result.GetRequiredValue(home).FullName, settings, secret, new KeystoreOptions());
            using var holder = made.UnlockHolder(secret);
            using var keys = made.UnlockPeerKeys(secret);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { home = made.Path, holder = holder.Address.ToString(), @operator = keys.Operator.Address.ToString(), age = keys.Recipients.Select(r => r.ToString()) }));
            }
            else
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                    Made {made.Path}
                      holder    {holder.Address}   takes the seat, votes, names the operator
                      operator  {keys.Operator.Address}   the peer's own key: submits and attests
                      age       {keys.Recipients.Last()}, and a post-quantum one: what files for this institution are sealed to
                      endpoint  {settings.Endpoint}   where the other members fetch content; listens on {settings.Listen}
                    Next:
                      1. Back it up: fedchain backup --home {made.Path} FILE; and keep the passphrase somewhere else. Nobody can make these keys again.
                      2. Give the holder's address to whoever deploys the federation.
                      3. Send both addresses some of the chain's coin, to pay for gas ('fedchain deploy --estimate' says how much).
                      4. When the federation is deployed: fedchain activate --home {made.Path} --federation ADDRESS
                    """));
            }
        });
        return command;
    }

    private static string CheckedEndpoint(string text) => HomeSettings.EndpointFault(text) is not { } fault ? text
        : throw new UserErrorException($"--endpoint {fault}.");

    /// <summary>Nobody connects to 0.0.0.0: the machine's name is the better guess.</summary>
    private static string UsualEndpoint(string listen) =>
        IPEndPoint.Parse(listen) is var parsed && (parsed.Address.Equals(IPAddress.Any) || parsed.Address.Equals(IPAddress.IPv6Any))
            ? string.Create(CultureInfo.InvariantCulture, $"http://{Dns.GetHostName()}:{parsed.Port}")
            : $"http://{listen}";

    private static string CheckedListen(string text) => IPEndPoint.TryParse(text, out var parsed) && parsed.Port > 0 ? text
        : throw new UserErrorException($"--listen takes an IP address and a port, such as 0.0.0.0:7420; got '{text}'.");
}
