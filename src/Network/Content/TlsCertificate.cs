using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FedChain.Network.Content;

/// <summary>
/// An endpoint's certificate in PEM files, as ACME clients write them: the certificate followed by its issuers', and the private key. Renewed files are
/// taken up by the next connection; if they can't be read, the certificate before stays in use.
/// </summary>
public sealed class TlsCertificate
{
    private readonly string _certificates;
    private readonly string _key;
    private readonly Lock _lock = new();
    private (DateTime Certificates, DateTime Key) _written;
    private SslStreamCertificateContext _context;

    /// <param name="certificates">The certificate and, after it, its issuers' up to but without the root.</param>
    /// <param name="key">The certificate's private key, not encrypted.</param>
    /// <exception cref="IOException">A file is missing or can't be read.</exception>
    /// <exception cref="CryptographicException">The files aren't PEM, or the key isn't the certificate's.</exception>
    public TlsCertificate(string certificates, string key)
    {
        (_certificates, _key) = (certificates, key);
        _written = Written();
        _context = Read();
    }

    /// <summary>The certificate in use.</summary>
    public X509Certificate2 Certificate => Current().TargetCertificate;

    /// <summary>What a server needs for a new connection.</summary>
    internal SslStreamCertificateContext Current()
    {
        lock (_lock)
        {
            try
            {
                if (Written() is var written && written != _written)
                {
                    _written = written;
                    _context = Read();
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                // half renewed: the other file follows, and is noticed like this one
            }

            return _context;
        }
    }

    private (DateTime Certificates, DateTime Key) Written() => (WrittenAt(_certificates), WrittenAt(_key));

    /// <summary>Of the file itself, where the path is a link: those who renew may change what is behind it.</summary>
    private static DateTime WrittenAt(string path) => File.GetLastWriteTimeUtc(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);

    private SslStreamCertificateContext Read()
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificates);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(_certificates, _key), chain, offline: true);
        }
        catch (ArgumentException e)
        {
            throw new CryptographicException("The private key isn't the certificate's.", e);
        }
    }
}
