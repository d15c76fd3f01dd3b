package dev.kedge.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/// The type of a tensor's elements.
public enum DType {
    FLOAT32(ScalarType.Float, 4),
    FLOAT64(ScalarType.Double, 8),
    BFLOAT16(ScalarType.BFloat16, 2),
    FLOAT16(ScalarType.Half, 2),
    INT64(ScalarType.Long, 8),
    INT32(ScalarType.Int, 4),
    INT16(ScalarType.Short, 2),
    INT8(ScalarType.Char, 1),
    UINT8(ScalarType.Byte, 1),
    BOOL(ScalarType.Bool, 1);

    private static final DType[] BY_CODE = new DType[64];

    static {
        for (DType type : values()) {
            BY_CODE[type.scalarType.intern().value] = type;
        }
    }

    final ScalarType scalarType;
    private final int bytes;

    DType(ScalarType scalarType, int bytes) {
        this.scalarType = scalarType;
        this.bytes = bytes;
    }

    /// The size of one element in bytes.
    public int bytes() {
        return bytes;
    }

    /// Whether elements are real numbers, so that gradients exist.
    public boolean isFloatingPoint() {
        return switch (this) {
            case FLOAT32, FLOAT64, BFLOAT16, FLOAT16 -> true;
            case INT64, INT32, INT16, INT8, UINT8, BOOL -> false;
        };
    }

    static DType of(int code) {
        DType type = code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
        if (type == null) {
            throw new IllegalArgumentException("LibTorch element type " + code + " has no counterpart here");
        }
        return type;
    }
}
