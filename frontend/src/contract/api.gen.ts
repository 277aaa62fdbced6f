/** Stands in for the generated file until docs/reference/openapi.json exists: `npm run types`. */
type Bare = {
  state: 'queued' | 'running' | 'waiting' | 'succeeded' | 'warning' | 'failed' | 'canceled' | 'interrupted' | 'skipped';
  progress: { percent?: number; done?: number; total?: number; unit?: string; rate?: number; estimated?: boolean };
  notice: { message: string; file?: string; line?: number };
  error: { code: string; message: string; hint?: string; exit_code?: number };
};
export interface components {
  schemas: {
    Job: {
      id: string;
      rev: number;
      action: string;
      title: string;
      target?: string;
      state: Bare['state'];
      phase?: string;
      progress?: Bare['progress'];
      summary?: string;
      warnings?: Bare['notice'][];
      warning_count?: number;
      error?: Bare['error'];
      trigger: {
        via: 'button' | 'api' | 'cli' | 'schedule' | 'flow' | 'retry' | 'startup';
        by: string;
        schedule?: string;
        tick?: string;
        reason?: string;
        retry_of?: string;
      };
      params?: Record<string, unknown>;
      attempt: number;
      attempts: number;
      not_before?: string;
      steps?: {
        id: string;
        title: string;
        state: Bare['state'];
        needs?: string[];
        phase?: string;
        progress?: Bare['progress'];
        started_at?: string;
        finished_at?: string;
        error?: Bare['error'];
      }[];
      cancel?: { by: string; at: string };
      approval?: { prompt: string; by?: string };
      queue?: { position: number; behind?: string };
      expected?: { p50_ms: number; p95_ms: number };
      log: { lines: number; bytes: number; truncated?: boolean };
      created_at: string;
      started_at?: string;
      updated_at: string;
      finished_at?: string;
      host?: string;
      boot?: string;
    };
  };
}
