using System.Text.Json.Nodes;

namespace FedChain.Network.Tests.Chain;

/// <summary>
/// Nodes whose answers are altered on the way: a client that asks through this reaches the real node behind, under as many host names as a test gives it.
/// </summary>
internal sealed class AlteredNode(Uri node) : DelegatingHandler(new HttpClientHandler())
{
    private readonly Dictionary<string, Func<JsonObject, JsonNode?, JsonNode?>> _alterations = [];

    /// <summary>How often each method was asked for, of all nodes together.</summary>
    public Dictionary<string, int> Asked { get; } = [];

    /// <summary>A node of this name; what it answers to a request is altered as given.</summary>
    public Uri Named(string name, Func<JsonObject, JsonNode?, JsonNode?>? alter = null)
    {
        _alterations[name] = alter ?? ((_, result) => result);
        return new Uri($"http://{name}/");
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var asked = JsonNode.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken))!;
        var alter = _alterations[request.RequestUri!.Host];
        request.RequestUri = node;
        using var answer = await base.SendAsync(request, cancellationToken);
        var given = JsonNode.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken))!;
        foreach (var (one, reply) in asked is JsonArray list ? list.Zip((JsonArray)given) : [(asked, given)])
        {
            var method = one!["method"]!.GetValue<string>();
            lock (Asked)
            {
                Asked[method] = Asked.GetValueOrDefault(method) + 1;
            }

            if (reply!.AsObject().ContainsKey("result"))
            {
                reply["result"] = alter(one.AsObject(), reply["result"])?.DeepClone();
            }
        }

        return new HttpResponseMessage { Content = new StringContent(given.ToJsonString()) };
    }
}
