using System.Globalization;
using System.Text.Json;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Costs;

/// <summary>
/// What calls cost, from the committed snapshots that the contracts' tests hold to the release build. Rounds are as from the second on, whatever the
/// number of members; founding and votes with a profile and a proposal of the usual length.
/// </summary>
internal static class GasFigures
{
    private static readonly Dictionary<string, ulong> Round = Load("round");
    private static readonly Dictionary<string, ulong> Founding = Load("founding");

    public static ulong Open => Round["open"];

    public static ulong Submit => Math.Max(Round["submit"], Round["submit, last (closes)"]);

    public static ulong Publish => Round["publish"];

    public static ulong Attest => Round["attest"];

    public static ulong AttestLast => Round["attest, last (finalises)"];

    public static ulong Activate => Founding["activate"];

    public static ulong Propose => Founding["propose"];

    public static ulong Vote => Founding["vote"];

    /// <summary>Queueing what passed and executing it, by whoever does it.</summary>
    public static ulong Enact => Founding["queue"] + Founding["execute"];

    /// <summary>The most that one member pays in a round in which all goes well: it opens, submits, and publishes or attests last.</summary>
    public static ulong MostPerRound => Open + Submit + Math.Max(Publish, AttestLast);

    /// <summary>A round of n members in which all goes well: one opens, all submit, one publishes, and as many attest as the quorum needs beside it.</summary>
    public static ulong WholeRound(int members)
    {
        var attesting = (ulong)Quorum.Of(members) - 1;
        return Open + ((ulong)members * Submit) + Publish + (attesting == 0 ? 0 : ((attesting - 1) * Attest) + AttestLast);
    }

    private static Dictionary<string, ulong> Load(string name)
    {
        using var stream = typeof(GasFigures).Assembly.GetManifestResourceStream($"gas.{name}.json")
            ?? throw new InvalidOperationException($"The program was built without the gas snapshot '{name}'.");
        using var json = JsonDocument.Parse(stream);
        return json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => ulong.Parse(p.Value.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
