using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedChain.Network.Content;

namespace FedChain.Network.Tests.Content;

/// <summary>An endpoint with TLS of its own, and one that asks for a token.</summary>
public sealed class ProtectedEndpointTests : FetcherScene
{
    private static readonly DateTimeOffset Today = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData(null, "asks for a token that wasn't sent, or is another one")]
    [InlineData("another", "asks for a token that wasn't sent, or is another one")]
    [InlineData("the-token", null)]
    public async Task Content_is_for_those_with_the_token(string? token, string? fault)
    {
        await using var gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions { Token = "the-token" }, Cancel);
        using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true, Token = token }, Time);
        var result = await fetcher.FetchFileAsync(Root, [gateway.BaseAddress], Content.Length, Ours, Cancel);

        Assert.Equal(fault is null, result.IsComplete);
        Assert.Contains(fault ?? "", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_no_token_is_told_so_and_may_still_ask_for_health()
    {
        await using var gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions { Token = "the-token" }, Cancel);
        using var http = new HttpClient { BaseAddress = gateway.BaseAddress };

        foreach (var path in new[] { $"/ipfs/{Root}", "/fedchain/v1/holdings/1", "/fedchain/v1/payload/0x00", "/fedchain/v1/reach/1", "/nothing", "/fedchain/v1/health/" })
        {
            using var refused = await http.GetAsync(path, Cancel);
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, refused.StatusCode));
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        }

        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/fedchain/v1/health", Cancel)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "the-token");
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"/ipfs/{Root}?format=raw", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("GET", HttpStatusCode.OK)]
    [InlineData("OPTIONS", HttpStatusCode.MethodNotAllowed)]
    public async Task Where_a_token_is_asked_for_pages_of_other_origins_read_nothing(string method, HttpStatusCode status)
    {
        await using var gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions { Token = "the-token" }, Cancel);
        using var http = new HttpClient { BaseAddress = gateway.BaseAddress };
        using var refused = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "the-token");
        using var answer = await AskAsync();
        Assert.Equal(status, answer.StatusCode);

        async Task<HttpResponseMessage> AskAsync()
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"/ipfs/{Root}?format=raw");
            request.Headers.Add("Origin", "https://reader.example");
            var response = await http.SendAsync(request, Cancel);
            Assert.DoesNotContain(response.Headers, h => h.Key.StartsWith("Access-Control-", StringComparison.Ordinal));
            return response;
        }
    }

    [Fact]
    public async Task With_a_certificate_https_is_served_with_its_issuers()
    {
        using var folder = new TemporaryFolder();
        using var authority = new Authority();
        var certificate = authority.Issue(folder.Path, "hospital.example", Today.AddDays(30));
        await using var gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions { Certificate = certificate }, Cancel);
        Assert.Equal("https", gateway.BaseAddress.Scheme);

        // Somebody who knows the root alone: the certificate between comes from the endpoint.
        Assert.Equal(certificate.Certificate.Thumbprint, await ThumbprintOf(gateway, authority.Root, "hospital.example"));
        await Assert.ThrowsAsync<HttpRequestException>(() => ThumbprintOf(gateway, authority.Root, "other.example"));

        // A fetcher trusts what the system does.
        var result = await FetchAsync(gateway.BaseAddress);
        Assert.False(result.IsComplete);
        Assert.Contains("its certificate isn't trusted here", result.ToString(), StringComparison.Ordinal);

        // Who knows the very certificate needs no issuer.
        using var probe = new ReachProbe(new ContentGatewayOptions { AllowPrivateAddresses = true }, certificate.Certificate);
        Assert.True((await probe.TryAsync([gateway.BaseAddress], Cancel))![0].Ok);
        using var other = new ReachProbe(new ContentGatewayOptions { AllowPrivateAddresses = true }, authority.Root);
        Assert.False((await other.TryAsync([gateway.BaseAddress], Cancel))![0].Ok);
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_up_and_half_a_renewal_is_waited_out()
    {
        using var folder = new TemporaryFolder();
        using var authority = new Authority();
        var certificate = authority.Issue(folder.Path, "hospital.example", Today.AddDays(1));
        var first = certificate.Certificate.Thumbprint;
        await using var gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions { Certificate = certificate }, Cancel);

        using var renewed = new TemporaryFolder();
        var second = authority.Issue(renewed.Path, "hospital.example", Today.AddDays(60)).Certificate.Thumbprint;
        Replace(Authority.CertificateName);
        Assert.Equal(first, await ThumbprintOf(gateway, authority.Root, "hospital.example")); // its key isn't there yet
        Replace(Authority.KeyName);
        Assert.Equal(second, await ThumbprintOf(gateway, authority.Root, "hospital.example"));

        void Replace(string name)
        {
            File.Copy(Path.Combine(renewed.Path, name), Path.Combine(folder.Path, name), overwrite: true);
            File.SetLastWriteTimeUtc(Path.Combine(folder.Path, name), Today.AddMinutes(1).UtcDateTime);
        }
    }

    private static async Task<string> ThumbprintOf(ContentGateway gateway, X509Certificate2 root, string host)
    {
        var shown = "";
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var client = new System.Net.Sockets.TcpClient();
                await client.ConnectAsync(gateway.BaseAddress.Host, gateway.BaseAddress.Port, cancel);
                return client.GetStream();
            },
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(root);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            shown = ((X509Certificate2)certificate!).Thumbprint;
            return errors == System.Net.Security.SslPolicyErrors.None;
        };
        using var http = new HttpClient(handler);
        using var answer = await http.GetAsync(new Uri($"https://{host}/fedchain/v1/health"), Cancel);
        return answer.EnsureSuccessStatusCode().IsSuccessStatusCode ? shown : "";
    }

    /// <summary>A root, and below it an authority that issues certificates.</summary>
    private sealed class Authority : IDisposable
    {
        public const string CertificateName = "certificate.pem";
        public const string KeyName = "key.pem";

        private readonly X509Certificate2 _issuer;

        public Authority()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            Root = Request("root", key, isAuthority: true).CreateSelfSigned(Today.AddDays(-1), Today.AddDays(100));
            using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            _issuer = Request("issuer", issuerKey, isAuthority: true).Create(Root, Today.AddDays(-1), Today.AddDays(90), [1]).CopyWithPrivateKey(issuerKey);
        }

        public X509Certificate2 Root { get; }

        public TlsCertificate Issue(string folder, string name, DateTimeOffset until)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request(name, key, isAuthority: false);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            using var leaf = request.Create(_issuer, Today.AddDays(-1), until, RandomNumberGenerator.GetBytes(8));
            var (certificates, keyFile) = (Path.Combine(folder, CertificateName), Path.Combine(folder, KeyName));
            File.WriteAllText(certificates, $"{leaf.ExportCertificatePem()}\n{_issuer.ExportCertificatePem()}\n");
            File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
            return new TlsCertificate(certificates, keyFile);
        }

        public void Dispose()
        {
            Root.Dispose();
            _issuer.Dispose();
        }

        private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
        {
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
            return request;
        }
    }
}
