package dev.kedge.objective.conformance;

import java.util.Map;
import java.util.Optional;

/// From a file's `method` to the adapter that turns its cases into calls of the objective.
///
/// An adapter looks at the names of a case's inputs and parameters, never at its name or its numbers. It returns
/// the outputs by the case's names (numbers, tensors, strings, lists and maps of these), or nothing if it does
/// not know the signature. To add one: a class a paper, a line here.
final class Adapters {
    private Adapters() {}

    static Optional<Map<String, Object>> outputs(Case c) {
        return switch (c.method()) {
            case "_grpo-family" -> GrpoFamilyCases.outputs(c);
            case "adpo" -> AdpoCases.outputs(c);
            case "asft" -> AsftCases.outputs(c);
            case "correlated-proxies" -> CorrelatedProxiesCases.outputs(c);
            case "demo-reg-rl" -> DemoRegRlCases.outputs(c);
            case "drpo" -> DrpoCases.outputs(c);
            case "egpo" -> EgpoCases.outputs(c);
            case "f-dpo" -> FDpoCases.outputs(c);
            case "genarm" -> GenArmCases.outputs(c);
            case "gtpo" -> GtpoCases.outputs(c);
            case "hypo" -> HypoCases.outputs(c);
            case "infalign" -> InfAlignCases.outputs(c);
            case "inpo" -> InpoCases.outputs(c);
            case "lp-reg" -> LpRegCases.outputs(c);
            case "mllm-ctbench" -> CtBenchCases.outputs(c);
            case "oreal" -> OrealCases.outputs(c);
            case "recap" -> RecapCases.outputs(c);
            case "rl-kl-bayes" -> RlKlBayesCases.outputs(c);
            case "rl-subnetworks" -> RlSubnetworksCases.outputs(c);
            case "rrpo" -> RrpoCases.outputs(c);
            case "spine" -> SpineCases.outputs(c);
            case "topr" -> ToprCases.outputs(c);
            case "xpo" -> XpoCases.outputs(c);
            default -> Optional.empty();
        };
    }
}
