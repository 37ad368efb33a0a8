namespace FedChain.Node.Demo;

/// <summary>The demonstration's folder: <c>chain/</c>, <c>data/</c>, <c>members/NAME/</c> (their homes), <c>logs/</c>, <c>passphrase</c>, <c>auditor.age</c>.</summary>
internal sealed class DemoHome
{
    /// <summary>Where the chain listens when it is started again by hand.</summary>
    public const int DefaultPort = 8545;

    public DemoHome(string path) => Path = System.IO.Path.GetFullPath(path);

    public string Path { get; }

    public string ChainState => System.IO.Path.Combine(Folder("chain"), "state.json");

    public string Data => Folder("data");

    public string Members => Folder("members");

    public string Logs => Folder("logs");

    public string PassphraseFile => System.IO.Path.Combine(Path, "passphrase");

    /// <summary>The auditor's age identity, as <c>age-keygen</c> would write it.</summary>
    public string AuditorKeyFile => System.IO.Path.Combine(Path, "auditor.age");

    private string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
}
