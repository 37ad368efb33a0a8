namespace FedChain.Node.Homes;

/// <summary>Secrets that others issued: the first line of a file that the settings name, or an environment variable; never on the command line, which other users can read.</summary>
internal static class SecretText
{
    /// <param name="file">As the settings name it; null for none.</param>
    /// <param name="setting">The setting's name.</param>
    /// <param name="variable">Where it is if no file is named.</param>
    /// <param name="what">What the first line is.</param>
    /// <returns>Null if there is none; and where it is from, for messages.</returns>
    /// <exception cref="UserErrorException">The file isn't there.</exception>
    public static (string? Text, string Source) Read(string? file, string setting, string variable, string what) =>
        file is null ? (Environment.GetEnvironmentVariable(variable), $"the environment variable {variable}")
        : File.Exists(file) ? (File.ReadLines(file).FirstOrDefault() ?? "", file)
        : throw new UserErrorException($"The file {file} that \"{setting}\" names does not exist. Its first line is {what}.");
}
