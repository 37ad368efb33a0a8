using System.Buffers;
using System.Net;
using FedChain.Protocol.Content;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace FedChain.Network.Content;

/// <summary>
/// The IPFS trustless gateway (specs.ipfs.tech/http-gateways/trustless-gateway): <c>GET|HEAD /ipfs/{cid}</c> with <c>format=raw|car</c> or
/// an Accept header. Blocks and CARs only, which the reader checks by himself; paths are not resolved and no file is put together.
/// </summary>
/// <remarks>
/// A CAR is the whole DAG, depth first, each block once; <c>dag-scope=block</c> gives the root alone. Only complete DAGs are served, and a
/// corrupted block is found before the first byte leaves if it is the root; another one cuts the connection, and is named when asked for raw.
/// </remarks>
internal sealed class TrustlessGateway(IContentStore store)
{
    public const string RawType = "application/vnd.ipld.raw";
    public const string CarType = "application/vnd.ipld.car";
    public const string CorruptHeader = "FedChain-Corrupt-Block";

    private const string CarContentType = CarType + "; version=1; order=dfs; dups=n";

    private enum Format
    {
        None,
        Raw,
        Car,
    }

    public async Task ServeAsync(HttpContext context)
    {
        if (!Cid.TryParse((string)context.GetRouteValue("cid")!, out var cid) || !cid.CanVerify)
        {
            await Refuse("expected a CID with a SHA-256 multihash, as in /ipfs/bafkrei…?format=raw");
        }
        else if (!string.IsNullOrEmpty((string?)context.GetRouteValue("path")))
        {
            await Refuse("paths aren't resolved; ask for the block's CID");
        }
        else if (FormatOf(context.Request) is var format && format == Format.None)
        {
            await Refuse($"say what to send: format=raw or format=car, or Accept: {RawType} or {CarType}");
        }
        else if (format == Format.Raw)
        {
            await ServeRawAsync(context, cid);
        }
        else if (!cid.IsRaw && !cid.IsDagPb)
        {
            await Refuse($"codec 0x{cid.Codec:x} isn't followed; ask for its block with format=raw");
        }
        else if (context.Request.Query["dag-scope"].ToString() is not ("" or "all" or "entity" or "block") || context.Request.Query.ContainsKey("entity-bytes"))
        {
            await Refuse("dag-scope is block, entity or all, and entity-bytes isn't offered");
        }
        else if (context.Request.Query.TryGetValue("car-version", out var version) && version != "1")
        {
            await Refuse("car-version is 1");
        }
        else
        {
            await ServeCarAsync(context, cid, rootOnly: context.Request.Query["dag-scope"] == "block");
        }

        Task Refuse(string reason) => ContentGateway.WriteErrorAsync(context, HttpStatusCode.BadRequest, $"Bad request: {reason}.");
    }

    private async Task ServeRawAsync(HttpContext context, Cid cid)
    {
        var block = await store.GetAsync(cid, reuse: null, context.RequestAborted);
        if (block is null)
        {
            await WriteMissingAsync(context, cid);
        }
        else if (!IsKnownToReader(context, cid, $"\"{cid}.raw\"", RawType, "bin"))
        {
            context.Response.ContentLength = block.Value.Length;
            if (HttpMethods.IsGet(context.Request.Method))
            {
                await context.Response.Body.WriteAsync(block.Value, context.RequestAborted);
            }
        }
    }

    private async Task ServeCarAsync(HttpContext context, Cid root, bool rootOnly)
    {
        var cancel = context.RequestAborted;
        var blocks = new List<Cid>();
        try
        {
            await foreach (var cid in rootOnly ? new[] { root }.ToAsyncEnumerable() : DagWalk.BlocksAsync(store, root, cancel))
            {
                if (!await store.HasAsync(cid, cancel))
                {
                    throw new MissingBlockException(cid);
                }

                blocks.Add(cid);
            }
        }
        catch (MissingBlockException e)
        {
            await WriteMissingAsync(context, e.Cid);
            return;
        }
        catch (InvalidDataException e)
        {
            await ContentGateway.WriteErrorAsync(context, HttpStatusCode.BadRequest, $"Bad request: {root} can't be sent as a CAR. {e.Message}");
            return;
        }

        var buffer = new ArrayBufferWriter<byte>();
        var first = await store.GetAsync(root, buffer, cancel) ?? throw new MissingBlockException(root); // corruption is told before a 200
        if (IsKnownToReader(context, root, $"W/\"{root}.car{(rootOnly ? ".block" : "")}\"", CarContentType, "car") || HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        var car = await CarWriter.StartAsync(context.Response.Body, [root], cancel);
        await car.WriteAsync(root, first, cancel);
        foreach (var cid in blocks.Skip(1).Where(cid => !cid.IsIdentity))
        {
            await car.WriteAsync(cid, await store.GetAsync(cid, buffer, cancel) ?? throw new MissingBlockException(cid), cancel);
        }
    }

    /// <summary>Sets the headers of an answer that never changes; true (and 304) where the reader has it already.</summary>
    private static bool IsKnownToReader(HttpContext context, Cid cid, string tag, string contentType, string extension)
    {
        var headers = context.Response.Headers;
        headers.ETag = tag;
        headers.CacheControl = "public, max-age=29030400, immutable";
        headers.Vary = HeaderNames.Accept;
        headers["X-Ipfs-Path"] = $"/ipfs/{cid}";
        headers["X-Ipfs-Roots"] = cid.ToString();
        var wanted = context.Request.Headers.IfNoneMatch;
        if (EntityTagHeaderValue.TryParseList(wanted, out var tags)
            && tags.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(EntityTagHeaderValue.Parse(tag), useStrongComparison: false)))
        {
            context.Response.StatusCode = (int)HttpStatusCode.NotModified;
            return true;
        }

        headers.ContentType = contentType;
        headers.ContentDisposition = $"attachment; filename=\"{cid}.{extension}\"";
        return false;
    }

    private static Task WriteMissingAsync(HttpContext context, Cid cid) =>
        ContentGateway.WriteErrorAsync(context, HttpStatusCode.NotFound, $"Block {cid} isn't here.");

    private static Format FormatOf(HttpRequest request)
    {
        if (request.Query.TryGetValue("format", out var format))
        {
            return format.ToString() switch
            {
                "raw" => Format.Raw,
                "car" => Format.Car,
                _ => Format.None,
            };
        }

        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
        {
            return Format.None;
        }

        foreach (var type in accepted.OrderByDescending(type => type.Quality ?? 1))
        {
            if (type.MediaType.Equals(RawType, StringComparison.OrdinalIgnoreCase))
            {
                return Format.Raw;
            }

            if (type.MediaType.Equals(CarType, StringComparison.OrdinalIgnoreCase)
                && type.Parameters.FirstOrDefault(p => p.Name == "version")?.Value.ToString() is null or "1")
            {
                return Format.Car;
            }
        }

        return Format.None;
    }
}
