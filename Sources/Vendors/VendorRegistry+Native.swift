// SPDX-License-Identifier: MIT

/// Vendors with a protocol of their own.
extension VendorRegistry {
  static let native: [Vendor] = [
    Vendor(
      slug: "anthropic", name: "Anthropic Claude",
      documentation: "https://docs.anthropic.com/en/api/messages",
      defaultBaseURL: "https://api.anthropic.com", keyForm: "sk-ant-…", keyHeader: "x-api-key: ",
      modelList: """
        claude-opus-4-8 claude-opus-4-7 claude-opus-4-6 claude-sonnet-5 claude-sonnet-4-6 \
        claude-opus-4-5 claude-sonnet-4-5 claude-haiku-4-5 claude-opus-4-1
        """,
      modelCall: "/v1/models?limit=1000 data id", speaks: .anthropic),
    Vendor(
      slug: "spark-ws", name: "iFlytek Spark (WebSocket)",
      documentation: "https://www.xfyun.cn/doc/spark/Web.html",
      defaultBaseURL: "https://spark-api.xf-yun.com", keyForm: "APPID|APISecret|APIKey",
      modelList: """
        Spark-Lite Spark-Pro Spark-Pro-128K Spark-Max Spark-Max-32K Spark-4.0-Ultra Spark-X1
        """,
      speaks: .sparkSocket),
    Vendor(
      slug: "hunyuan-native", name: "Tencent Hunyuan (API 3.0)",
      documentation: "https://cloud.tencent.com/document/product/1729/105701",
      defaultBaseURL: "https://hunyuan.tencentcloudapi.com",
      keyForm: "SecretId|SecretKey or APPID|SecretId|SecretKey",
      modelList: """
        hunyuan-turbos-latest hunyuan-t1-latest hunyuan-large hunyuan-standard \
        hunyuan-standard-256K hunyuan-lite hunyuan-a13b hunyuan-vision hunyuan-functioncall
        """,
      fieldList: "region|Region|ap-guangzhou", speaks: .hunyuanNative),
    Vendor(
      slug: "bedrock", name: "AWS Bedrock",
      documentation:
        "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
      defaultBaseURL: "https://bedrock-runtime.{region}.amazonaws.com",
      keyForm: "ACCESS_KEY|SECRET_KEY or a Bedrock API key",
      modelList: """
        us.anthropic.claude-sonnet-4-5-20250929-v1:0 anthropic.claude-sonnet-4-6 \
        anthropic.claude-opus-4-8 amazon.nova-pro-v1:0 amazon.nova-lite-v1:0 \
        amazon.nova-micro-v1:0 meta.llama3-3-70b-instruct-v1:0
        """,
      fieldList: "!region|AWS region|us-east-1", speaks: .bedrock),
    Vendor(
      slug: "gemini", name: "Google Gemini",
      documentation: "https://ai.google.dev/api/generate-content",
      defaultBaseURL: "https://generativelanguage.googleapis.com", keyForm: "AIza…",
      keyHeader: "x-goog-api-key: ", taskList: "chat embeddings",
      modelList: """
        gemini-3.5-flash gemini-3.1-pro-preview gemini-3-flash-preview gemini-3.1-flash-lite \
        gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-2.5-flash-image \
        gemini-embedding-001
        """,
      fieldList: """
        safety_threshold|What Google's filters block|||BLOCK_NONE,BLOCK_ONLY_HIGH,\
        BLOCK_MEDIUM_AND_ABOVE,BLOCK_LOW_AND_ABOVE,OFF
        """,
      modelCall: "/v1beta/models?pageSize=1000 models name", speaks: .gemini),
    Vendor(
      slug: "vertex", name: "Google Vertex AI",
      documentation: "https://cloud.google.com/vertex-ai/generative-ai/docs",
      defaultBaseURL: "https://{location}-aiplatform.googleapis.com",
      keyForm: "{\"type\":\"service_account\",…}",
      modelList: """
        gemini-3.1-pro-preview gemini-3-flash-preview gemini-2.5-pro gemini-2.5-flash \
        gemini-2.5-flash-lite
        """,
      fieldList: """
        project|Project; empty for the service account's|my-project
        location|Region; for global, set the base URL too|europe-west4|us-central1
        token_url|Where tokens are had; empty for Google's|https://oauth2.googleapis.com/token
        safety_threshold|What Google's filters block|||BLOCK_NONE,BLOCK_ONLY_HIGH,\
        BLOCK_MEDIUM_AND_ABOVE,BLOCK_LOW_AND_ABOVE,OFF
        """,
      speaks: .vertex),
    Vendor(
      slug: "ollama-native", name: "Ollama (its own API)",
      documentation: "https://docs.ollama.com/api", defaultBaseURL: "http://127.0.0.1:11434",
      isKeyOptional: true, taskList: "chat embeddings", modelCall: "/api/tags models name",
      speaks: .ollama),
    Vendor(
      slug: "cohere", name: "Cohere", documentation: "https://docs.cohere.com/reference/chat",
      defaultBaseURL: "https://api.cohere.com", taskList: "chat embeddings rerank",
      modelList: """
        command-a-03-2025 command-a-reasoning-08-2025 command-a-vision-07-2025 \
        command-r7b-12-2024 command-r-plus-08-2024 command-r-08-2024 embed-v4.0 rerank-v3.5
        """,
      callPaths: "/rerank>/v2/rerank",
      modelCall: "/v1/models?endpoint=chat&page_size=1000 models name", speaks: .cohere),
  ]
}
