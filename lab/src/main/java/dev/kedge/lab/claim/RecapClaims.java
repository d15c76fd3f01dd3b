package dev.kedge.lab.claim;

import java.util.List;

final class RecapClaims {
    static List<Claim> claims() {
        return List.of();
    }
}
