using System.Net;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Doctor;

/// <summary>The content endpoint: served here, and reached by the others, who are asked to try.</summary>
internal static class EndpointChecks
{
    public const string Own = "endpoint";
    public const string Others = "reachable";

    private const string Tls = "certificate";
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    private const int MostAsked = 3;

    /// <param name="seat">This home's; null if it has none, so that nobody can be asked.</param>
    public static async Task RunAsync(HomeFolder home, FederationState? state, Seat? seat, TimeProvider time, Checkup checkup, CancellationToken cancellationToken)
    {
        if (!IPEndPoint.TryParse(home.Settings.Listen, out var listen))
        {
            checkup.Skip([Own, Others], "the settings name no address to listen on");
            return;
        }

        ContentGatewayOptions options;
        try
        {
            options = ContentAccess.GatewayOf(home.Settings, listen, time);
        }
        catch (UserErrorException e)
        {
            checkup.Problem(Own, e.Message, "Mend home.json or the files that it names.");
            checkup.Skip(Others, "nothing can be served here");
            return;
        }

        Certificate(options, home.Settings, time, checkup);
        using var homeLock = LockOf(home);
        using var store = homeLock is null ? null : new BlockStore(home.StorePath);
        ContentGateway? served = null;
        try
        {
            served = store is null ? null : await checkup.FindAsync(
                Own, $"Stop what listens on {listen}, or set \"listen\" in home.json to an address of this machine and a free port.",
                () => ContentGateway.StartAsync(store, federation: null, options, cancellationToken));
            if (store is not null && served is null)
            {
                checkup.Skip(Others, "nothing is served here");
                return;
            }

            await AnswersHereAsync(options, served is not null, checkup, cancellationToken);
            if (state is null || seat is null)
            {
                checkup.Skip(Others, "needs the federation and a seat in it");
            }
            else
            {
                await AskOthersAsync(home, state, seat, time, checkup, cancellationToken);
            }
        }
        finally
        {
            await (served?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    /// <summary>Null while a peer has the home.</summary>
    private static IDisposable? LockOf(HomeFolder home)
    {
        try
        {
            return home.Lock();
        }
        catch (UserErrorException)
        {
            return null;
        }
    }

    /// <summary>Other members' machines have to trust it, and it has to be for the name that they use.</summary>
    private static void Certificate(ContentGatewayOptions options, HomeSettings settings, TimeProvider time, Checkup checkup)
    {
        var host = Uri.TryCreate(settings.Endpoint, UriKind.Absolute, out var endpoint) ? endpoint.Host : settings.Endpoint;
        if (options.Certificate?.Certificate is not { } certificate)
        {
            if (options.Token is not null && endpoint?.Scheme == Uri.UriSchemeHttp && !settings.AllowPrivateEndpoints)
            {
                checkup.Problem(Tls, $"a token is asked for, but {settings.Endpoint} is http, over which the others don't send it", "Give the endpoint TLS: \"tlsCertificate\" and \"tlsKey\" in home.json, or a proxy in front; then publish the https URL in the profile.");
            }

            return;
        }

        var now = time.GetUtcNow();
        if (endpoint?.Scheme != Uri.UriSchemeHttps)
        {
            checkup.Problem(Tls, $"https is served, but the endpoint is {settings.Endpoint}", "Set \"endpoint\" in home.json to the https URL, and publish it: fedchain profile.");
        }
        else if (!certificate.MatchesHostname(host))
        {
            checkup.Problem(Tls, $"the certificate is for {certificate.Subject}, not for {host}", $"Have a certificate issued for {host}.");
        }
        else if (certificate.NotBefore.ToUniversalTime() > now.UtcDateTime || certificate.NotAfter.ToUniversalTime() < now.UtcDateTime)
        {
            checkup.Problem(Tls, $"the certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}", "Renew it; the peer takes up the new files by itself.");
        }
        else if (certificate.NotAfter.ToUniversalTime() < (now + Soon).UtcDateTime)
        {
            checkup.Warn(Tls, $"the certificate ends on {certificate.NotAfter:u}", "Renew it; the peer takes up the new files by itself.");
        }
        else
        {
            checkup.Ok(Tls, $"for {host}, until {certificate.NotAfter:u}");
        }
    }

    private static async Task AnswersHereAsync(ContentGatewayOptions options, bool isOurs, Checkup checkup, CancellationToken cancellationToken)
    {
        var listen = new IPEndPoint(options.Address, options.Port);
        var address = listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : listen.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : listen.Address;
        using var probe = new ReachProbe(new ContentGatewayOptions { AllowPrivateAddresses = true, Time = options.Time }, options.Certificate?.Certificate);
        var scheme = options.Certificate is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        var here = (await probe.TryAsync([new Uri($"{scheme}://{new IPEndPoint(address, listen.Port)}")], cancellationToken))![0];
        if (here.Ok)
        {
            checkup.Ok(Own, isOurs ? $"can be served on {listen}; the peer isn't running" : $"the running peer serves it on {listen}");
        }
        else
        {
            checkup.Problem(Own, $"the home is in use by a process, but {here.Url} {here.Detail}", "If that process is the peer, was \"listen\" changed while it ran? Start it again. Else wait for it to end.");
        }
    }

    private static async Task AskOthersAsync(HomeFolder home, FederationState state, Seat seat, TimeProvider time, Checkup checkup, CancellationToken cancellationToken)
    {
        var others = state.Seats.Keys.Where(id => id != seat.Id).Select(id => (Id: id, Endpoints: Sealing.EndpointsOf(state.Profiles.GetValueOrDefault(id)))).Where(o => o.Endpoints.Count > 0).ToList();
        if (others.Count == 0)
        {
            checkup.Skip(Others, "no other member has published an endpoint, so nobody can be asked");
            return;
        }

        using var fetcher = new ContentFetcher(ContentAccess.FetcherOf(home.Settings), time);
        var heard = new List<(MemberId Id, IReadOnlyList<EndpointAnswer>? Answers, string Silence)>();
        foreach (var (id, endpoints) in others)
        {
            heard.Add(await AskAsync(fetcher, id, endpoints, seat.Id, cancellationToken));
            if (heard.Count(h => h.Answers is not null) == MostAsked)
            {
                break;
            }
        }

        var silent = string.Join("; ", heard.Where(h => h.Answers is null).Select(h => $"member {h.Id} did not say: {h.Silence}"));
        var said = heard.Where(h => h.Answers is not null).ToList();
        var failing = said.SelectMany(h => h.Answers!.Where(a => !a.Ok).Select(a => $"member {h.Id} can't reach {a.Url}: {a.Detail}")).ToList();
        if (said.Count == 0)
        {
            checkup.Skip(Others, $"nobody could be asked: {silent}");
        }
        else if (failing.Count > 0 || said.Exists(h => h.Answers!.Count == 0))
        {
            checkup.Problem(
                Others, failing.Count > 0 ? string.Join("; ", failing) : "this home's profile on the chain names no endpoint",
                $"Open the port of {home.Settings.Endpoint} to the other members: firewall, router, proxy, DNS name. If the endpoint is another one, publish it in the profile.");
        }
        else
        {
            checkup.Ok(Others, $"{string.Join(", ", said[0].Answers!.Select(a => a.Url))} from member {string.Join(", ", said.Select(h => h.Id))}{(silent.Length > 0 ? $"; {silent}" : "")}");
        }
    }

    private static async Task<(MemberId Id, IReadOnlyList<EndpointAnswer>? Answers, string Silence)> AskAsync(
        ContentFetcher fetcher, MemberId asked, IReadOnlyList<Uri> endpoints, MemberId about, CancellationToken cancellationToken)
    {
        var silences = new List<string>();
        foreach (var endpoint in endpoints)
        {
            var result = await fetcher.GetReachAsync(endpoint, about, cancellationToken);
            try
            {
                if (result.IsComplete)
                {
                    return (asked, EndpointAnswer.Read(result.Bytes.Span), "");
                }

                silences.Add(result.ToString());
            }
            catch (InvalidDataException e)
            {
                silences.Add($"{endpoint}: {e.Message}");
            }
        }

        return (asked, null, string.Join("; ", silences));
    }
}
