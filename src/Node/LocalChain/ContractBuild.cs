namespace FedChain.Node.LocalChain;

/// <summary>
/// Compiles the contracts with Hardhat. The program doesn't need it, since it embeds the release build (contracts/release); tests and whoever
/// changes a contract do.
/// </summary>
public static class ContractBuild
{
    /// <summary>Compiles what changed since the last time (Hardhat knows); about 30 seconds at first, 2 when nothing did.</summary>
    /// <param name="repositoryRoot">The folder that holds hardhat.config.js.</param>
    /// <param name="progress">Gets one line at a time.</param>
    /// <exception cref="LocalChainException">npm is missing, or the compiler refuses.</exception>
    public static async Task EnsureAsync(string repositoryRoot, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        await NpmPackages.EnsureAsync(repositoryRoot, progress, cancellationToken);
        using var turn = await ProcessLock.AcquireAsync(repositoryRoot, progress, cancellationToken);
        progress?.Report("Compiling contracts");
        await NpmPackages.RunAsync(
            repositoryRoot, NpmPackages.Npm("npm", repositoryRoot, "run", "--silent", "build"), "npm run build", progress, cancellationToken);
    }
}
