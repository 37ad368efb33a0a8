namespace FedChain.Node.Demo;

/// <summary>Finds the checkout that the local chain's npm packages and contracts are in.</summary>
public static class RepositoryRoot
{
    private const string Mark = "package-lock.json";

    /// <exception cref="UserErrorException">Neither the program nor the current folder lies in a checkout.</exception>
    public static string Find() => From(AppContext.BaseDirectory) ?? From(Environment.CurrentDirectory)
        ?? throw new UserErrorException("The local chain is built from FedChain's sources: run this inside a clone of the repository, or name another chain with --rpc.");

    private static string? From(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, Mark)) && Directory.Exists(Path.Combine(at.FullName, "contracts")))
            {
                return at.FullName;
            }
        }

        return null;
    }
}
