using System.Net;
using System.Security.Cryptography;
using FedChain.Network.Content;

namespace FedChain.Node.Homes;

/// <summary>Who may have content from an institution's endpoint, and how it gets others'.</summary>
internal static class ContentAccess
{
    /// <summary>The federation's token, where no home's settings name a file with it: for auditors.</summary>
    public const string Variable = "FEDCHAIN_CONTENT_TOKEN";

    private const int MostCharacters = 1024;

    /// <summary>How the home's own endpoint serves.</summary>
    /// <exception cref="UserErrorException">Certificate, key or token can't be read.</exception>
    public static ContentGatewayOptions GatewayOf(HomeSettings settings, IPEndPoint listen, TimeProvider time) => new()
    {
        Address = listen.Address,
        Port = listen.Port,
        Certificate = CertificateOf(settings),
        Token = settings.ContentTokenFile is null ? null : TokenOf(settings), // what the environment has is for asking
        AllowPrivateAddresses = settings.AllowPrivateEndpoints,
        Time = time,
    };

    /// <summary>How others' endpoints are asked.</summary>
    /// <param name="settings">Null without a home.</param>
    /// <param name="allowPrivate">Whether private addresses are asked, whatever the settings say.</param>
    /// <exception cref="UserErrorException">The token can't be read.</exception>
    public static ContentFetcherOptions FetcherOf(HomeSettings? settings, bool allowPrivate = false) =>
        new() { AllowPrivateAddresses = allowPrivate || settings?.AllowPrivateEndpoints == true, Token = TokenOf(settings) };

    private static TlsCertificate? CertificateOf(HomeSettings settings)
    {
        if (settings is { TlsCertificate: null, TlsKey: null })
        {
            return null;
        }

        if (settings is not { TlsCertificate: { } certificate, TlsKey: { } key })
        {
            throw new UserErrorException("\"tlsCertificate\" and \"tlsKey\" in home.json go together: the certificate with its issuers, and its private key, both PEM files.");
        }

        try
        {
            return new TlsCertificate(certificate, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UserErrorException($"The certificate {certificate} with the key {key} can't be used: {e.Message} Both are PEM files that this user can read, the key without a passphrase.", e);
        }
    }

    private static string? TokenOf(HomeSettings? settings)
    {
        var (token, source) = SecretText.Read(settings?.ContentTokenFile, "contentTokenFile", Variable, "the token that the federation's members agreed on");
        return token is null || (token.Length is > 0 and <= MostCharacters && token.All(c => char.IsAsciiLetterOrDigit(c) || "-._~+/=".Contains(c, StringComparison.Ordinal)))
            ? token
            : throw new UserErrorException($"{source} holds no token: 1 to {MostCharacters} letters, digits and -._~+/=, as 'openssl rand -hex 32' prints it.");
    }
}
