using Yarp.ReverseProxy.Transforms.Builder;

namespace ProxyGateway.StreamingFallback.Transforms;

/// <summary>A transform that every route has: nothing of a route or a cluster configures it, so there is nothing to validate.</summary>
internal abstract class GatewayTransform : ITransformProvider
{
    /// <inheritdoc/>
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    /// <inheritdoc/>
    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    /// <inheritdoc/>
    public abstract void Apply(TransformBuilderContext context);
}
