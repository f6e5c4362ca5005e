// The frame around the views.

import { useEffect } from 'preact/hooks';

import { Banner } from './frame/Banner.tsx';
import { Finder } from './frame/Finder.tsx';
import { Foot } from './frame/Foot.tsx';
import { Head } from './frame/Head.tsx';
import { Keys } from './frame/Keys.tsx';
import { startKeys } from './frame/keyboard.ts';
import { MarkBar } from './frame/MarkBar.tsx';
import { LabelHelp } from './parts/LabelHelp.tsx';
import { Failed, Loading } from './parts/States.tsx';
import { place } from './state/navigation.ts';
import type { View } from './state/place.ts';
import { mayRead, session, sessionError } from './state/session.ts';
import { ClientView } from './views/ClientView.tsx';
import { DifferentView } from './views/DifferentView.tsx';
import { Fleet } from './views/Fleet.tsx';
import { IncidentView } from './views/IncidentView.tsx';
import { Login } from './views/Login.tsx';
import { MaintenanceView } from './views/MaintenanceView.tsx';
import { PairView } from './views/PairView.tsx';
import { PipelineView } from './views/PipelineView.tsx';
import { TargetView } from './views/TargetView.tsx';
import { visible } from './words/text.ts';

const TITLES: Record<View, string> = {
  fleet: 'Fleet',
  incident: 'Incident',
  maintenance: 'Maintenance windows',
  pair: 'Pair',
  target: 'Target',
  client: 'Client',
  different: 'What is different',
  pipeline: 'Pipeline',
};

export function App() {
  const { view, client, target } = place.value;
  useEffect(startKeys, []);
  useEffect(() => {
    const about =
      view === 'pair' ? `${client} → ${target}` : view === 'client' ? client : view === 'target' ? target : null;
    document.title = `${about === null ? TITLES[view] : visible(about)} – netqoe`;
  }, [view, client, target]);
  return (
    <>
      <a class="skip button" href="#main">
        Skip to the content
      </a>
      <Head />
      <Banner />
      <main id="main" tabIndex={-1}>
        {mayRead.value ? <CurrentView /> : <NotYet />}
      </main>
      {mayRead.value && <MarkBar />}
      {mayRead.value && <LabelHelp />}
      <Foot />
      <Finder />
      <Keys />
    </>
  );
}

function NotYet() {
  if (session.value !== null) return <Login />;
  return sessionError.value ? <Failed what="The page" error={sessionError.value} /> : <Loading what="the page" />;
}

function CurrentView() {
  const { view, client, target, incident } = place.value;
  switch (view) {
    case 'fleet':
      return <Fleet />;
    case 'incident':
      return <IncidentView key={incident} id={incident ?? ''} />;
    case 'maintenance':
      return <MaintenanceView />;
    case 'pair':
      return <PairView key={`${client}\n${target}`} client={client ?? ''} target={target ?? ''} />;
    case 'target':
      return <TargetView key={target} target={target ?? ''} />;
    case 'client':
      return <ClientView key={client} client={client ?? ''} />;
    case 'different':
      return <DifferentView />;
    case 'pipeline':
      return <PipelineView />;
  }
}
