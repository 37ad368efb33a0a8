using System.CommandLine;
using FedChain.Node.Homes;

namespace FedChain.Node.Cli;

/// <summary>The institution's own IPFS node. What is given goes into the home's settings: every command has to look in the same place.</summary>
internal sealed class IpfsOptions
{
    private readonly Option<string?> _api = new("--ipfs")
    {
        Description = "RPC API of the institution's own IPFS node (Kubo), where content is then kept, such as http://127.0.0.1:5001; kept in the home's settings. Without one, content is kept in the home.",
        HelpName = "URL",
    };

    private readonly Option<FileInfo?> _authorization = new("--ipfs-authorization-file")
    {
        Description = $"A file whose first line is the Authorization header that the IPFS node asks for, such as 'Bearer TOKEN'; else the variable {HomeStore.Variable}. Its name is kept in the home's settings.",
        HelpName = "FILE",
    };

    public IpfsOptions(Command command)
    {
        command.Add(_api);
        command.Add(_authorization);
    }

    /// <summary>The settings with what was given.</summary>
    /// <exception cref="UserErrorException">It can't be used.</exception>
    public HomeSettings Apply(ParseResult result, HomeSettings settings)
    {
        var changed = settings with
        {
            Ipfs = result.GetValue(_api) is { } api ? HomeStore.ApiOf(api).AbsoluteUri.TrimEnd('/') : settings.Ipfs,
            IpfsAuthorizationFile = result.GetValue(_authorization)?.FullName ?? settings.IpfsAuthorizationFile,
        };
        _ = changed.Ipfs is null ? null : HomeStore.KuboOf(changed); // refuses what can't be
        return changed;
    }
}
