// SPDX-License-Identifier: MIT

/// Vendors elsewhere, and servers of one's own, that speak OpenAI's format.
extension VendorRegistry {
  static let international: [Vendor] = [
    Vendor(
      slug: "mistral", name: "Mistral", documentation: "https://docs.mistral.ai/api",
      defaultBaseURL: "https://api.mistral.ai/v1",
      taskList: "chat embeddings transcription moderations",
      modelList: """
        mistral-large-latest mistral-medium-2604 mistral-small-latest magistral-medium-latest \
        codestral-latest open-mistral-nemo mistral-embed codestral-embed
        """,
      requestEdits: """
        max_completion_tokens>max_tokens seed>random_seed stream_options> user>
        """,
      finishReasons: "model_length>length error>",
      errorCodes: "rate|1300|rate_limited",
      quirks: [.contentParts, .isStrict]),
    Vendor(
      slug: "groq", name: "Groq", documentation: "https://console.groq.com/docs/openai",
      defaultBaseURL: "https://api.groq.com/openai/v1", keyForm: "gsk_…",
      taskList: "chat responses speech transcription",
      modelList: """
        openai/gpt-oss-120b openai/gpt-oss-20b llama-3.3-70b-versatile llama-3.1-8b-instant \
        qwen/qwen3-32b meta-llama/llama-4-scout-17b-16e-instruct groq/compound whisper-large-v3 \
        whisper-large-v3-turbo
        """,
      errorCodes: "failed|tool_use_failed",
      quirks: [.namesReasoning, .isStrict]),
    Vendor(
      slug: "xai", name: "xAI", documentation: "https://docs.x.ai/docs/api-reference",
      defaultBaseURL: "https://api.x.ai/v1", keyForm: "xai-…",
      taskList: "chat responses images",
      modelList:
        "grok-4.3 grok-4.20-0309-reasoning grok-4.20-0309-non-reasoning grok-imagine-image",
      errorCodes: "key|~Incorrect API key provided",
      quirks: .reasoningApart),
    Vendor(
      slug: "openrouter", name: "OpenRouter",
      documentation: "https://openrouter.ai/docs/api-reference",
      defaultBaseURL: "https://openrouter.ai/api/v1", keyForm: "sk-or-…",
      taskList: "chat completions embeddings",
      errorCodes: """
        account|402
        key|401
        content|403
        model|404
        rate|429
        client|400
        failed|408|500|502
        busy|503
        """,
      quirks: .namesReasoning),
    Vendor(
      slug: "together", name: "Together AI", documentation: "https://docs.together.ai/reference",
      defaultBaseURL: "https://api.together.xyz/v1",
      taskList: "chat completions embeddings images speech transcription rerank",
      finishReasons: "eos>stop"),
    Vendor(
      slug: "perplexity", name: "Perplexity", documentation: "https://docs.perplexity.ai",
      defaultBaseURL: "https://api.perplexity.ai", keyForm: "pplx-…",
      modelList: "sonar sonar-pro sonar-reasoning-pro sonar-deep-research",
      requestEdits: "max_completion_tokens>max_tokens"),
    Vendor(
      slug: "novita", name: "Novita AI", documentation: "https://novita.ai/docs/api-reference",
      defaultBaseURL: "https://api.novita.ai/v3/openai", taskList: "chat completions embeddings"),
    Vendor(
      slug: "fireworks", name: "Fireworks AI", documentation: "https://docs.fireworks.ai",
      defaultBaseURL: "https://api.fireworks.ai/inference/v1", keyForm: "fw_…",
      taskList: "chat completions responses embeddings rerank"),
    Vendor(
      slug: "nvidia", name: "NVIDIA NIM", documentation: "https://docs.api.nvidia.com/nim",
      defaultBaseURL: "https://integrate.api.nvidia.com/v1", keyForm: "nvapi-…",
      taskList: "chat completions embeddings"),
    Vendor(
      slug: "github", name: "GitHub Models", documentation: "https://docs.github.com/github-models",
      defaultBaseURL: "https://models.github.ai/inference", keyForm: "github_pat_…",
      taskList: "chat embeddings", quirks: .isStrict),
    Vendor(
      slug: "cerebras", name: "Cerebras",
      documentation: "https://inference-docs.cerebras.ai/resources/openai",
      defaultBaseURL: "https://api.cerebras.ai/v1", keyForm: "csk-…",
      modelList: "gpt-oss-120b zai-glm-4.7",
      quirks: [.namesReasoning, .isStrict]),
    Vendor(
      slug: "deepinfra", name: "DeepInfra",
      documentation: "https://deepinfra.com/docs/openai_api",
      defaultBaseURL: "https://api.deepinfra.com/v1/openai",
      taskList: "chat completions embeddings images speech transcription"),
    Vendor(
      slug: "hyperbolic", name: "Hyperbolic", documentation: "https://docs.hyperbolic.xyz",
      defaultBaseURL: "https://api.hyperbolic.xyz/v1", taskList: "chat completions"),
    Vendor(
      slug: "sambanova", name: "SambaNova", documentation: "https://docs.sambanova.ai",
      defaultBaseURL: "https://api.sambanova.ai/v1", taskList: "chat embeddings"),
    Vendor(
      slug: "huggingface", name: "Hugging Face",
      documentation: "https://huggingface.co/docs/inference-providers",
      defaultBaseURL: "https://router.huggingface.co/v1", keyForm: "hf_…"),
    Vendor(
      slug: "jina", name: "Jina AI", documentation: "https://jina.ai/embeddings",
      defaultBaseURL: "https://api.jina.ai/v1", keyForm: "jina_…", taskList: "embeddings rerank",
      modelList: """
        jina-embeddings-v4 jina-embeddings-v3 jina-clip-v2 jina-reranker-v3 \
        jina-reranker-v2-base-multilingual jina-reranker-m0
        """),
  ]

  static let local: [Vendor] = [
    Vendor(
      slug: "ollama", name: "Ollama", documentation: "https://docs.ollama.com/openai",
      defaultBaseURL: "http://127.0.0.1:11434/v1", isKeyOptional: true,
      taskList: "chat completions responses embeddings",
      errorCodes: "model|not_found_error"),
    Vendor(
      slug: "llama-cpp", name: "llama.cpp server",
      documentation: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
      defaultBaseURL: "http://127.0.0.1:8080/v1", isKeyOptional: true,
      taskList: "chat completions embeddings rerank",
      errorCodes: """
        length|exceed_context_size_error
        busy|unavailable_error
        """),
    Vendor(
      slug: "vllm", name: "vLLM", documentation: "https://docs.vllm.ai",
      defaultBaseURL: "http://127.0.0.1:8000/v1", isKeyOptional: true,
      taskList: "chat completions responses embeddings transcription rerank",
      quirks: .namesReasoning),
    Vendor(
      slug: "lm-studio", name: "LM Studio", documentation: "https://lmstudio.ai/docs/developer",
      defaultBaseURL: "http://127.0.0.1:1234/v1", isKeyOptional: true,
      taskList: "chat completions responses embeddings"),
    Vendor(
      slug: "xinference", name: "Xinference", documentation: "https://inference.readthedocs.io",
      defaultBaseURL: "http://127.0.0.1:9997/v1", isKeyOptional: true,
      taskList: "chat completions embeddings images speech transcription rerank"),
  ]
}
