"""The same decoder, training step and greedy decoding in PyTorch: reads commands, answers each with a line of JSON.

`steps N` trains, `generate ROWS TOKENS` decodes. The folder given as argument holds config.json, weights.bin (float32,
in the order of the computation; queries, keys and values are the rows of one matrix, gate and up those of another) and
tokens.bin (int64: inputs, then targets).
"""
import json
import math
import pathlib
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class RMSNorm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads, self.size = c["heads"], c["kv_heads"], c["head_size"]
        self.q = nn.Linear(c["hidden_size"], self.heads * self.size, bias=False)
        self.k = nn.Linear(c["hidden_size"], self.kv_heads * self.size, bias=False)
        self.v = nn.Linear(c["hidden_size"], self.kv_heads * self.size, bias=False)
        self.out = nn.Linear(self.heads * self.size, c["hidden_size"], bias=False)

    def forward(self, x, cos, sin, mask, cache=None, filled=0):
        b, t, _ = x.shape
        q = rotate(self.q(x).view(b, t, self.heads, self.size).transpose(1, 2), cos, sin)
        k = rotate(self.k(x).view(b, t, self.kv_heads, self.size).transpose(1, 2), cos, sin)
        v = self.v(x).view(b, t, self.kv_heads, self.size).transpose(1, 2)
        if cache is not None:
            keys, values = cache
            keys[:, :, filled:filled + t] = k
            values[:, :, filled:filled + t] = v
            k, v = keys[:, :, :filled + t], values[:, :, :filled + t]
        if self.kv_heads != self.heads:
            k = k.repeat_interleave(self.heads // self.kv_heads, dim=1)
            v = v.repeat_interleave(self.heads // self.kv_heads, dim=1)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=mask is not None)
        else:
            scores = q @ k.transpose(-2, -1) / math.sqrt(self.size)
            if mask is not None:
                scores = scores.masked_fill(mask, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(b, t, -1))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention_norm = RMSNorm(c["hidden_size"], c["norm_epsilon"])
        self.attention = Attention(c)
        self.mlp_norm = RMSNorm(c["hidden_size"], c["norm_epsilon"])
        self.gate = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
        self.up = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
        self.down = nn.Linear(c["intermediate_size"], c["hidden_size"], bias=False)

    def forward(self, x, *rest):
        x = x + self.attention(self.attention_norm(x), *rest)
        h = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embedding = nn.Embedding(c["vocabulary_size"], c["hidden_size"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["norm_epsilon"])
        half = torch.arange(0, c["head_size"], 2, dtype=torch.float64)
        frequencies = c["theta"] ** (-half / c["head_size"])
        angles = torch.outer(torch.arange(c["max_positions"], dtype=torch.float64), frequencies)
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos().float())
        self.register_buffer("sin", angles.sin().float())
        future = torch.ones(c["max_positions"], c["max_positions"], dtype=torch.bool).triu(1)
        self.register_buffer("future", future)

    def forward(self, tokens, caches=None, filled=0):
        t = tokens.shape[1]
        cos, sin = self.cos[filled:filled + t], self.sin[filled:filled + t]
        mask = self.future[:t, :t] if t > 1 else None
        x = self.embedding(tokens)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, mask, None if caches is None else caches[i], filled)
        return F.linear(self.norm(x), self.embedding.weight)

    def load(self, c, flat):
        at = 0

        def fill(*parameters):
            nonlocal at
            for p in parameters:
                p.data.copy_(flat[at:at + p.numel()].view_as(p))
                at += p.numel()

        fill(self.embedding.weight)
        for b in self.blocks:
            a = b.attention
            fill(b.attention_norm.weight, a.q.weight, a.k.weight, a.v.weight, a.out.weight)
            fill(b.mlp_norm.weight, b.gate.weight, b.up.weight, b.down.weight)
        fill(self.norm.weight)
        assert at == flat.numel()


def train(model, optimizer, tokens, targets, count):
    seconds, losses = [], []
    for _ in range(count):
        start = time.perf_counter()
        logits = model(tokens)
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "losses": losses}


@torch.inference_mode()
def generate(model, c, rows, count):
    start = time.perf_counter()
    shape = (rows, c["kv_heads"], count, c["head_size"])
    caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(c["layers"])]
    token = torch.ones(rows, 1, dtype=torch.long)
    drawn = []
    for filled in range(count):
        token = model(token, caches, filled)[:, -1].argmax(-1, keepdim=True)
        drawn.append(token)
    first = torch.cat(drawn, dim=1)[0].tolist()
    return {"seconds": time.perf_counter() - start, "tokens": first}


def main(folder):
    c = json.loads((folder / "config.json").read_text())
    model = Decoder(c)
    model.load(c, torch.frombuffer(bytearray((folder / "weights.bin").read_bytes()), dtype=torch.float32))
    ids = torch.frombuffer(bytearray((folder / "tokens.bin").read_bytes()), dtype=torch.int64)
    tokens, targets = ids.view(2, c["batch"], c["length"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.0)
    for line in sys.stdin:
        command, *numbers = line.split()
        numbers = [int(n) for n in numbers]
        if command == "steps":
            answer = train(model, optimizer, tokens, targets.reshape(-1), *numbers)
        elif command == "generate":
            answer = generate(model, c, *numbers)
        elif command == "version":
            answer = {"torch": torch.__version__, "threads": torch.get_num_threads()}
        else:
            raise ValueError("unknown command " + line)
        print(json.dumps(answer), flush=True)


main(pathlib.Path(sys.argv[1]))
