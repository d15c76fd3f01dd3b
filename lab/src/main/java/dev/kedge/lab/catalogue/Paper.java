package dev.kedge.lab.catalogue;

import java.time.LocalDate;
import java.util.List;

/// One paper of the catalogue.
///
/// @param slug      short lower-case name, the key of the paper everywhere in the project
/// @param list      the list of papers by which it came in: [#OWN], or another one
/// @param arxiv     arXiv id without version
/// @param published date of the first version
/// @param authors   who wrote it, as the catalogue knows it: "5 authors" or an organisation
/// @param votes     readers' votes
/// @param methods   names of the methods that it brings or builds on, as the field writes them
/// @param summary   one sentence
/// @param objective what is optimised, in TeX
/// @param recipes   names of the recipes that implement it; empty while there is none
/// @param claims    comparisons worth measuring again
public record Paper(
        String slug,
        String list,
        String title,
        String arxiv,
        LocalDate published,
        String authors,
        int votes,
        Family family,
        List<String> methods,
        String summary,
        String objective,
        List<String> recipes,
        List<String> claims) {
    /// The list that the project began with. Of its papers there are conformance cases, computed by the authors' code.
    public static final String OWN = "kedge-37";

    public Paper {
        methods = List.copyOf(methods);
        recipes = List.copyOf(recipes);
        claims = List.copyOf(claims);
    }
}
