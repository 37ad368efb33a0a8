using System.Text.Json;

namespace FedChain.Network.Content;

/// <summary>Whether a member's endpoint answered, as another member saw it.</summary>
/// <param name="Url">As published.</param>
/// <param name="Ok">It answered as a FedChain endpoint does.</param>
/// <param name="Detail">What happened if not.</param>
public sealed record EndpointAnswer(string Url, bool Ok, string Detail)
{
    private const int MaxText = 600; // an endpoint has at most 512 characters

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    internal static byte[] Write(IReadOnlyList<EndpointAnswer> answers) => JsonSerializer.SerializeToUtf8Bytes(new Body(answers), Json);

    /// <summary>Reads another member's answer, which may be anything.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static IReadOnlyList<EndpointAnswer> Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var answers = JsonSerializer.Deserialize<Body>(json, Json)?.Endpoints;
            if (answers is not null && answers.All(a => IsText(a?.Url) && IsText(a?.Detail)))
            {
                return answers;
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("It is no JSON of endpoints.", e);
        }

        throw new InvalidDataException("It should have \"endpoints\", each with \"url\", \"ok\" and \"detail\".");
    }

    private static bool IsText(string? text) => text is { Length: <= MaxText } && !text.Any(char.IsControl);

    private sealed record Body(IReadOnlyList<EndpointAnswer>? Endpoints);
}
